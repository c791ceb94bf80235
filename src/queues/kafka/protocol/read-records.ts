import type { MessageHeader } from '../../../domain/message.ts';

/**
 * One record that counts. `key`, `value` and header values are views of the bytes that were fetched or expanded, which
 * live as long as any of them: copy what is kept. Whoever needs one of these more than once keeps it.
 */
export interface KafkaRecord {
  readonly kind: 'record';
  readonly offset: number;
  /** Milliseconds since 1970, -1 where there is none. */
  readonly timestamp: number;
  readonly key: Uint8Array | undefined;
  readonly headers: readonly MessageHeader[];
  readonly value: Uint8Array;
  /** Key, value and headers as they were sent, where they are known so: null is told from empty, no name is replaced. */
  readonly body?: Buffer | undefined;
  /** Bytes that it takes, expanded. */
  readonly bytes: number;
}

/** Offsets that hold nothing for anybody: control records, records of aborted transactions, none at all. */
export interface PassedStretch {
  readonly kind: 'passed';
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** The whole batch. */
  readonly raw: Buffer;
}

/** A batch, or one record of it, that cannot be read within bounds. */
export interface UnreadableRecords {
  readonly kind: 'unreadable';
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly reason: string;
  /** The batch or record as fetched or expanded. */
  readonly raw: Buffer;
}

export type ReadRecords = KafkaRecord | PassedStretch | UnreadableRecords;
