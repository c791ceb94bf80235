import { claimType, numberedTypes, skipType } from '../../domain/command.ts';

/**
 * One command as the journal keeps it. All integers are big-endian.
 *
 *     u32 bytes of the body          u32 CRC-32 of the body, seeded with the queue's salt
 *     body: u32 bytes between the start of the group it was written with and this record
 *           u48 append time (ms since 1970)
 *           u16 partition   u48 offset                                        (from here on under the record digest)
 *           u8 type   u8 flags   u64 epoch   u64 sequence   u16 bytes of session   u16 bytes of writer
 *           session, writer; id, time and traceparent where the flags say so, each a u32 and its bytes; the data
 *           (only a skip has an id of its own: all others follow from session, epoch and sequence)
 *
 * A group starts only after the one before it was synced. So whatever stands before the group of a readable record
 * was durable once, which tells a torn tail from damage.
 */
export interface RecordFrame {
  readonly bytes: Buffer;
  /** Where the record starts in `bytes`, and where it ends. */
  readonly start: number;
  readonly end: number;
}

export const prefixBytes = 8;
export const bodyAt = {
  group: 0,
  time: 4,
  partition: 10,
  offset: 12,
  type: 18,
  flags: 19,
  epoch: 20,
  sequence: 28,
  session: 36,
  writer: 38,
};
export const fixedBodyBytes = 40;
/** `plain`: the check before publishing found the command plain, so that its data need not be checked again. */
export const flag = { id: 1, time: 2, traceparent: 4, plain: 8 } as const;
export const recordTypes = [...numberedTypes, claimType, skipType] as const;
export const typeNumbers = new Map<string, number>(recordTypes.map((type, index) => [type, index]));
export const skipNumber = recordTypes.length - 1;
export const claimNumber = recordTypes.length - 2;
export const twoTo32 = 2 ** 32;
