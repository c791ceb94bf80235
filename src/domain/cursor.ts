import { wireLimits } from './command.ts';
import { type ShortDigest, shortDigestBytes } from './digest.ts';
import { type Epoch, noEpoch, noSequence, type Sequence, type Writer } from './identifiers.ts';

/** A writer's stretch of a session. `writer` is undefined in a merged reign: it stands for every epoch up to its own. */
export interface Reign {
  readonly epoch: Epoch;
  readonly writer: Writer | undefined;
  /** First and last sequence; `last < first` when the writer claimed and wrote nothing. */
  readonly first: Sequence;
  readonly last: Sequence;
}

/** Numbers `from` to `to`, both included, that an operator decided to pass over. */
export interface SkippedRange {
  readonly from: Sequence;
  readonly to: Sequence;
}

/** What the store knows of a session besides its data. It is written with every commit and stays small. */
export interface Cursor {
  /** `unknown`: only parked commands, dead letters, receipts or anchors so far. `deleted`: a tombstone that counts on. */
  readonly presence: 'unknown' | 'known' | 'deleted';
  /** Epoch and writer of the present reign; 0 and undefined before the first one. */
  readonly epoch: Epoch;
  readonly writer: Writer | undefined;
  /** First sequence of the present reign: one above the last sequence at its claim. */
  readonly first: Sequence;
  /** Last applied or skipped sequence, over all reigns. */
  readonly last: Sequence;
  /** Short digests of the latest commands of the present reign, oldest first, one after another; zeros for a skip. */
  readonly recent: string;
  /** Earlier reigns, oldest first, at most 16. */
  readonly earlier: readonly Reign[];
  /** Skipped numbers of the present reign, ascending. */
  readonly skipped: readonly SkippedRange[];
  /** True from a conflict until the next claim. */
  readonly halted: boolean;
  /** True while `last + 1` was refused and stays open. */
  readonly refused: boolean;
  /** Entries in the log. */
  readonly entries: number;
  /** How often the log was replaced or deleted. */
  readonly generation: number;
  /** Largest `compacted_incoming_ordinals` of the log's Checkpoints. */
  readonly compactionBase: number;
  readonly hasReceipt: boolean;
  readonly hasAnchor: boolean;
  readonly parkedCommands: number;
  /** Bytes of data of the parked commands. */
  readonly parkedBytes: number;
  /** Dead letters and applied decisions filed under this session. */
  readonly filed: number;
  /** Counts every delivery that changed this cursor: what compare-and-apply compares. */
  readonly version: number;
}

/** The cursor of a session that the store has never heard of. */
export const initialCursor: Cursor = Object.freeze({
  presence: 'unknown',
  epoch: noEpoch,
  writer: undefined,
  first: noSequence,
  last: noSequence,
  recent: '',
  earlier: Object.freeze([]),
  skipped: Object.freeze([]),
  halted: false,
  refused: false,
  entries: 0,
  generation: 0,
  compactionBase: 0,
  hasReceipt: false,
  hasAnchor: false,
  parkedCommands: 0,
  parkedBytes: 0,
  filed: 0,
  version: 0,
});

const noDigest = '\0'.repeat(shortDigestBytes);
const rememberedCharacters = wireLimits.rememberedDigests * shortDigestBytes;

/** `recent` with one more command, or with a skipped number where `digest` is undefined. */
export function remember(recent: string, digest: ShortDigest | undefined): string {
  const longer = recent + (digest ?? noDigest);
  return longer.length > rememberedCharacters ? longer.slice(longer.length - rememberedCharacters) : longer;
}

/** The remembered digest of `sequence`, or undefined when it is older than those remembered. */
export function rememberedDigest(cursor: Cursor, sequence: Sequence): ShortDigest | undefined {
  const end = cursor.recent.length - (cursor.last - sequence) * shortDigestBytes;
  if (end <= 0) return undefined;
  return cursor.recent.slice(end - shortDigestBytes, end) as ShortDigest;
}

/** True when an operator's decision passed over `sequence` in the present reign. */
export function isSkipped(cursor: Cursor, sequence: Sequence): boolean {
  return cursor.skipped.some((range) => range.from <= sequence && sequence <= range.to);
}

/** True when one of the earlier reigns is `(epoch, writer)`, or a merged one that stands for it. */
export function earlierReign(cursor: Cursor, epoch: Epoch, writer: Writer): Reign | undefined {
  return cursor.earlier.find((reign) =>
    reign.writer === undefined ? epoch <= reign.epoch : reign.epoch === epoch && reign.writer === writer,
  );
}

/** Earlier reigns after the present one ended, the oldest two merged when there are more than 16. */
export function withEndedReign(cursor: Cursor): readonly Reign[] {
  if (cursor.epoch === noEpoch) return cursor.earlier;
  const ended: Reign = { epoch: cursor.epoch, writer: cursor.writer, first: cursor.first, last: cursor.last };
  const reigns = [...cursor.earlier, ended];
  const [oldest, second] = reigns;
  if (reigns.length <= wireLimits.earlierReigns || oldest === undefined || second === undefined) return reigns;
  const merged: Reign = { epoch: second.epoch, writer: undefined, first: oldest.first, last: second.last };
  return [merged, ...reigns.slice(2)];
}

/** The skipped numbers with `sequence`, which is above all of them, added. */
export function withSkipped(skipped: readonly SkippedRange[], sequence: Sequence): readonly SkippedRange[] {
  const latest = skipped.at(-1);
  if (latest !== undefined && latest.to + 1 === sequence) {
    return [...skipped.slice(0, -1), { from: latest.from, to: sequence }];
  }
  return [...skipped, { from: sequence, to: sequence }];
}
