import { claimType, numberedTypes, skipType } from '../../domain/command.ts';

/**
 * One command as the journal keeps it: behind the head of its record, in big-endian integers,
 *
 *           u8 type   u8 flags   u64 epoch   u64 sequence   u16 bytes of session   u16 bytes of writer
 *           session, writer; id, time and traceparent where the flags say so, each a u32 and its bytes; the data
 *           (only a skip has an id of its own: all others follow from session, epoch and sequence)
 *
 * Its digest is over all that, with the partition and the offset before it.
 */
export const bodyAt = {
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
