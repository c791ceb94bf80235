import type { Cursor, Reign, SkippedRange } from '../cursor.ts';
import { shortDigestBytes } from '../digest.ts';
import { PersistenceError } from '../errors.ts';
import type { Epoch, Sequence, Writer } from '../identifiers.ts';

/** A cursor as JSON, for readers in other languages: the members of `Cursor` in snake case, absent ones null. */
export interface CursorJson {
  readonly presence: Cursor['presence'];
  readonly epoch: number;
  readonly writer: string | null;
  readonly first_sequence: number;
  readonly last_sequence: number;
  /** Short digests of the latest commands, oldest first, 16 hexadecimal digits each, one after another. */
  readonly recent: string;
  readonly earlier: readonly ReignJson[];
  readonly skipped: readonly { readonly from: number; readonly to: number }[];
  readonly halted: boolean;
  readonly refused: boolean;
  readonly entries: number;
  readonly generation: number;
  readonly compaction_base: number;
  readonly has_receipt: boolean;
  readonly has_anchor: boolean;
  readonly parked_commands: number;
  readonly parked_bytes: number;
  readonly filed: number;
  readonly version: number;
}

/** A reign; `writer` is null in a merged one. */
export interface ReignJson {
  readonly epoch: number;
  readonly writer: string | null;
  readonly first: number;
  readonly last: number;
}

/** The cursor in the form that is written as JSON. */
export function cursorToJson(cursor: Cursor): CursorJson {
  return {
    presence: cursor.presence,
    epoch: cursor.epoch,
    writer: cursor.writer ?? null,
    first_sequence: cursor.first,
    last_sequence: cursor.last,
    recent: Buffer.from(cursor.recent, 'latin1').toString('hex'),
    earlier: cursor.earlier.map(({ epoch, writer, first, last }) => ({ epoch, writer: writer ?? null, first, last })),
    skipped: cursor.skipped.map(({ from, to }) => ({ from, to })),
    halted: cursor.halted,
    refused: cursor.refused,
    entries: cursor.entries,
    generation: cursor.generation,
    compaction_base: cursor.compactionBase,
    has_receipt: cursor.hasReceipt,
    has_anchor: cursor.hasAnchor,
    parked_commands: cursor.parkedCommands,
    parked_bytes: cursor.parkedBytes,
    filed: cursor.filed,
    version: cursor.version,
  };
}

/**
 * The cursor that {@link cursorToJson} wrote, from its parsed JSON. Unknown members are ignored: a newer service may
 * tell more. Throws `UNEXPECTED` when a member is absent or of another type.
 */
export function cursorFromJson(json: unknown): Cursor {
  const cursor = recordOf(json, 'cursor');
  return {
    presence: presenceOf(cursor['presence']),
    epoch: count(cursor, 'epoch') as Epoch,
    writer: writerOf(cursor),
    first: count(cursor, 'first_sequence') as Sequence,
    last: count(cursor, 'last_sequence') as Sequence,
    recent: recentOf(cursor['recent']),
    earlier: list(cursor, 'earlier').map(reignOf),
    skipped: list(cursor, 'skipped').map(rangeOf),
    halted: flag(cursor, 'halted'),
    refused: flag(cursor, 'refused'),
    entries: count(cursor, 'entries'),
    generation: count(cursor, 'generation'),
    compactionBase: count(cursor, 'compaction_base'),
    hasReceipt: flag(cursor, 'has_receipt'),
    hasAnchor: flag(cursor, 'has_anchor'),
    parkedCommands: count(cursor, 'parked_commands'),
    parkedBytes: count(cursor, 'parked_bytes'),
    filed: count(cursor, 'filed'),
    version: count(cursor, 'version'),
  };
}

type JsonRecord = Readonly<Record<string, unknown>>;

const presences = ['unknown', 'known', 'deleted'] as const;
const digests = new RegExp(`^(?:[0-9a-f]{${shortDigestBytes * 2}})*$`);

function presenceOf(value: unknown): Cursor['presence'] {
  return presences.find((presence) => presence === value) ?? unusable('presence', value);
}

function recentOf(value: unknown): string {
  if (typeof value !== 'string' || !digests.test(value)) return unusable('recent', value);
  return Buffer.from(value, 'hex').toString('latin1');
}

function reignOf(value: unknown): Reign {
  const reign = recordOf(value, 'earlier');
  const [first, last] = [count(reign, 'first') as Sequence, count(reign, 'last') as Sequence];
  return { epoch: count(reign, 'epoch') as Epoch, writer: writerOf(reign), first, last };
}

function rangeOf(value: unknown): SkippedRange {
  const range = recordOf(value, 'skipped');
  return { from: count(range, 'from') as Sequence, to: count(range, 'to') as Sequence };
}

function writerOf(record: JsonRecord): Writer | undefined {
  const writer = record['writer'];
  if (writer === null) return undefined;
  return typeof writer === 'string' ? (writer as Writer) : unusable('writer', writer);
}

function recordOf(value: unknown, name: string): JsonRecord {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isRecord ? (value as JsonRecord) : unusable(name, value);
}

function count(record: JsonRecord, name: string): number {
  const value = record[name];
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : unusable(name, value);
}

function flag(record: JsonRecord, name: string): boolean {
  const value = record[name];
  return typeof value === 'boolean' ? value : unusable(name, value);
}

function list(record: JsonRecord, name: string): readonly unknown[] {
  const value = record[name];
  return Array.isArray(value) ? value : unusable(name, value);
}

function unusable(name: string, value: unknown): never {
  const shown = JSON.stringify(value)?.slice(0, 100) ?? 'absent';
  throw new PersistenceError('UNEXPECTED', `this is not the JSON of a cursor: ${name} is ${shown}`);
}
