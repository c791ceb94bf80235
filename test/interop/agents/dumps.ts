import { canonicalJson } from '../../../src/domain/documents/canonical.ts';

/**
 * Dumps of one and the same sessions, made comparable: checkpoints hold a snapshot as bytes, in which a runtime writes
 * the ids that it has seen in another order every time. Nothing else is touched.
 */
export function comparable(dump: readonly string[]): readonly string[] {
  const checkpoints = /("message_type":"Checkpoint","mode":"[^"]*","raw_payload":)\[([\d,]+)\]/g;
  return dump.map((line) =>
    line.replace(checkpoints, (_, before: string, bytes: string) => {
      return before + canonicalJson(Uint8Array.from(bytes.split(','), Number), 'seen_message_ids');
    }),
  );
}
