import { PersistenceError } from '../../../domain/errors.ts';
import type { SourceId } from '../../../domain/plan.ts';
import type { ContinuedSource } from '../../../ports/queue.ts';
import type { TopicId } from '../protocol/fetch.ts';

/** Which topic a topic was filled from, and the offsets between which it was copied, by partition. */
export interface CopiedSource extends ContinuedSource {
  readonly to: ReadonlyMap<number, number>;
}

/**
 * What is written down about a topic when it is made for commands, in a topic beside it: which topic it was, and in how
 * many partitions its sessions lie. One that was made by accident, made anew or given more partitions is told by it.
 */
export interface Guard {
  readonly topicId: TopicId;
  readonly partitions: number;
  /** There when it was filled from another topic. */
  readonly continues?: CopiedSource | undefined;
  /** There once its commands went to another topic: the name of that. */
  readonly movedTo?: string | undefined;
  /** True while it is being filled from another topic. Its id may not be known yet, and is empty then. */
  readonly isUnfinished?: boolean | undefined;
}

/** Key of the only record of a guard topic. */
export const guardKey = 'topic';
const guardVersion = 1;

/** The topic beside `topic` that holds its guard. */
export function guardTopicOf(topic: string): string {
  return `${topic}.macp-persist`;
}

/** The source that a topic is to stores. */
export function sourceOf(topicId: TopicId): SourceId {
  return `kafka:${topicId}` as SourceId;
}

/**
 * A guard as the JSON that its record holds: `version` (1), `topicId` (base64url), `partitions`, and where there are
 * such, `continues` (`source`, and `from` and `to`: offsets by partition), `movedTo` (the name of a topic) and `unfinished`
 * (true).
 */
export function encodeGuard({ topicId, partitions, continues, movedTo, isUnfinished }: Guard): Uint8Array {
  const written = {
    version: guardVersion,
    topicId,
    partitions,
    continues: continues === undefined ? undefined : encodeCopied(continues),
    movedTo,
    unfinished: isUnfinished === true ? true : undefined,
  };
  return Buffer.from(JSON.stringify(written), 'utf8');
}

/** The guard that {@link encodeGuard} wrote. Throws `QUEUE_TOO_NEW` for a newer version, `QUEUE_CORRUPT` for all else. */
export function decodeGuard(topic: string, value: Uint8Array): Guard {
  const guard = parsed(value);
  if (!isRecord(guard)) throw corrupt(topic);
  const { version, topicId, partitions, continues, movedTo, unfinished } = guard;
  if (typeof version === 'number' && version > guardVersion) {
    throw new PersistenceError('QUEUE_TOO_NEW', `topic ${topic} was set up by a newer release: use that one`);
  }
  if (version !== guardVersion || typeof topicId !== 'string' || !isCount(partitions)) throw corrupt(topic);
  if (movedTo !== undefined && typeof movedTo !== 'string') throw corrupt(topic);
  if (unfinished !== undefined && unfinished !== true) throw corrupt(topic);
  return { topicId, partitions, continues: decodeCopied(topic, continues), movedTo, isUnfinished: unfinished };
}

function encodeCopied({ source, from, to }: CopiedSource): object {
  return { source, from: Object.fromEntries(from), to: Object.fromEntries(to) };
}

function decodeCopied(topic: string, copied: unknown): CopiedSource | undefined {
  if (copied === undefined) return undefined;
  if (!isRecord(copied) || typeof copied['source'] !== 'string') throw corrupt(topic);
  const source = copied['source'] as SourceId;
  return { source, from: decodeOffsets(topic, copied['from']), to: decodeOffsets(topic, copied['to']) };
}

function decodeOffsets(topic: string, written: unknown): ReadonlyMap<number, number> {
  if (!isRecord(written)) throw corrupt(topic);
  const offsets = new Map<number, number>();
  for (const [partition, offset] of Object.entries(written)) {
    if (!/^\d+$/.test(partition) || !Number.isSafeInteger(offset)) throw corrupt(topic);
    offsets.set(Number(partition), Number(offset));
  }
  return offsets;
}

function parsed(value: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(value).toString('utf8'));
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}

function corrupt(topic: string): PersistenceError {
  return new PersistenceError(
    'QUEUE_CORRUPT',
    `the guard of topic ${topic}, in ${guardTopicOf(topic)}, cannot be read`,
  );
}
