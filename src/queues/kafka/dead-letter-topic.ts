import { isPersistenceError, PersistenceError } from '../../domain/errors.ts';
import { decodeMessage, type Message, type MessageHeader } from '../../domain/message.ts';
import { partitionOf } from '../../domain/partition.ts';
import type { DeadLetter } from '../../domain/plan.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DeadLetterCopies } from '../../ports/queue.ts';
import type { TopicBrokers } from './consumer/topic-brokers.ts';
import type { PlacedRecord } from './publishing/batches.ts';
import { codecOf } from './publishing/compression.ts';
import { encodeRecordBody } from './publishing/record-body.ts';
import { RecordWriter } from './publishing/record-writer.ts';

export interface DeadLetterTopicOptions {
  /** Those of the topic for dead letters; this closes them. */
  readonly brokers: TopicBrokers;
  readonly clock: Clock;
  /** The topic that the commands came from. */
  readonly commandTopic: string;
}

/** Larger letters go alone, and compressed: what came compressed may be larger than any batch that a broker takes. */
const largeLetter = 512 * 1024;
const batchBytes = 1024 * 1024;

/**
 * Copies dead letters to a topic of their own, for whoever is to be alarmed: key, headers and value as they were sent,
 * and behind them what became of it, in headers: `macp-dead-letter-id`, `-reason`, `-code` (where the command itself was
 * not valid), `-detail` and `-position` (`topic-partition@offset`). The rare one that no broker takes even compressed is
 * copied without its value; `macp-dead-letter-omitted` says how many bytes that had.
 */
export class DeadLetterTopic implements DeadLetterCopies {
  readonly #options: DeadLetterTopicOptions;
  readonly #closing = new AbortController();
  readonly #small: RecordWriter;
  readonly #large: RecordWriter;
  #latest: Promise<unknown> = Promise.resolve();

  constructor(options: DeadLetterTopicOptions) {
    this.#options = options;
    const parts = { ...options, closing: this.#closing.signal, batchBytes };
    this.#small = new RecordWriter({ ...parts, codec: undefined });
    this.#large = new RecordWriter({ ...parts, codec: codecOf('gzip') });
  }

  /** Resolves once all are durable. What fails may be copied twice. */
  copy(letters: readonly DeadLetter[]): Promise<void> {
    const copying = this.#latest.then(() => this.#copy(letters).catch(withoutHistory));
    this.#latest = copying.catch(() => undefined);
    return copying;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#latest;
    await this.#options.brokers.close();
  }

  async #copy(letters: readonly DeadLetter[]): Promise<void> {
    const small: PlacedRecord[] = [];
    for (const letter of letters) {
      const record = this.#recordOf(letter, decodeMessage(letter.message));
      if (record.record.body.length <= largeLetter) small.push(record);
      else await this.#copyLarge(letter, record);
    }
    if (small.length > 0) await this.#small.write(small);
  }

  async #copyLarge(letter: DeadLetter, whole: PlacedRecord): Promise<void> {
    try {
      await this.#large.write([whole]);
    } catch (error) {
      if (!isPersistenceError(error, 'QUEUE_UNSAFE')) throw error;
      const { key, headers, value } = decodeMessage(letter.message);
      const omitted = header('macp-dead-letter-omitted', `${value.length}`);
      await this.#large.write([
        this.#recordOf(letter, { key, headers: [...headers, omitted], value: Buffer.alloc(0) }),
      ]);
    }
  }

  #recordOf(letter: DeadLetter, { key, headers, value }: Message): PlacedRecord {
    const { brokers, clock, commandTopic } = this.#options;
    const { partitions } = brokers.topic;
    const { session, position } = letter;
    const partition = session === undefined ? position.partition % partitions : partitionOf(session, partitions);
    const body = encodeRecordBody({ key, headers: [...headers, ...fate(letter, commandTopic)], value });
    return { partition, record: { timestamp: clock.now(), body } };
  }
}

/** A topic of copies that is gone took no command along: nothing has to be restored for it. */
function withoutHistory(error: unknown): never {
  if (!isPersistenceError(error, 'SOURCE_LOST_HISTORY')) throw error;
  const message = `${error.message}; macp-persist init makes one for copies of dead letters, and a new start uses it`;
  throw new PersistenceError('QUEUE_UNSAFE', message, { cause: error });
}

function fate({ id, reason, refusal, detail, position }: DeadLetter, topic: string): readonly MessageHeader[] {
  return [
    header('macp-dead-letter-id', id),
    header('macp-dead-letter-reason', reason),
    ...(refusal === undefined ? [] : [header('macp-dead-letter-code', refusal.code)]),
    header('macp-dead-letter-detail', detail),
    header('macp-dead-letter-position', `${topic}-${position.partition}@${position.offset}`),
  ];
}

function header(name: string, value: string): MessageHeader {
  return [name, Buffer.from(value, 'utf8')];
}
