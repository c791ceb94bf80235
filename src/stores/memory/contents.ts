import type { FiledRecord, ParkedCommand, Replacement } from '../../domain/plan.ts';
import type { FiledKey } from '../../ports/store.ts';

/** Bytes that nobody else holds: whoever passed them in may use their buffer again. */
export function ownedBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

export function ownedParked(command: ParkedCommand): ParkedCommand {
  return { ...command, position: { ...command.position }, message: ownedBytes(command.message) };
}

export function ownedFiled(record: FiledRecord): FiledRecord {
  const position = { ...record.position };
  return record.kind === 'decision'
    ? { ...record, position }
    : { ...record, position, message: ownedBytes(record.message) };
}

/** What stands in a place that held `stored` after `replacement`. */
export function replaced(stored: Uint8Array | undefined, replacement: Replacement | undefined): Uint8Array | undefined {
  if (replacement === undefined) return stored;
  return replacement === 'remove' ? undefined : ownedBytes(replacement);
}

/** One name a session and id; session ids are not empty and hold no NUL, so no two keys share one. */
export function filedName(key: FiledKey): string {
  return `${key.session ?? ''}\0${key.id}`;
}

/** Orders texts by their UTF-8 bytes, which is not the order of their UTF-16 units. */
export function compareUtf8(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one, 'utf8'), Buffer.from(other, 'utf8'));
}
