import type { NumberedType } from '../domain/command.ts';
import { checkData, checkDocument } from '../domain/documents/check-data.ts';
import type { UnnumberedCommand } from '../publisher/input-event.ts';
import { arrayBytes } from '../publisher/json-document.ts';
import { type Refused, refused, type Write } from './operations.ts';

const nothing = new Uint8Array();

/** The command that a write is, checked as a worker will check it: what is published is never refused later. */
export function commandOfWrite(write: Write): UnnumberedCommand | Refused {
  const { session } = write;
  const [type, data] = contentOf(write);
  // One by one: what holds two documents in one value must not pass as two values.
  const parts = write.kind === 'replace' ? write.pushes.flat() : [];
  for (const part of parts) {
    const { refusal } = checkDocument('entry', session, part);
    if (refusal !== undefined) return refused(`${refusal.code}: ${refusal.message}`);
  }
  const { refusal } = checkData(type, session, data);
  if (refusal !== undefined) return refused(`${refusal.code}: ${refusal.message}`);
  return { session, type, data };
}

function contentOf(write: Write): readonly [NumberedType, Uint8Array] {
  switch (write.kind) {
    case 'create':
      return ['macp.session.create.v1', nothing];
    case 'append':
      return ['macp.log.append.v1', write.entry];
    case 'save':
      return ['macp.session.save.v1', write.snapshot];
    case 'receipt':
      return ['macp.receipt.store.v1', write.receipt];
    case 'anchor':
      return ['macp.anchor.store.v1', write.anchor];
    case 'replace':
      return ['macp.log.replace.v1', arrayBytes(write.pushes.flat())];
    case 'delete':
      return ['macp.session.delete.v1', nothing];
  }
}
