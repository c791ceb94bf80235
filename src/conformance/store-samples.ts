import assert from 'node:assert/strict';
import type { ErrorCode } from '../domain/errors.ts';
import { parseSessionId, type SessionId } from '../domain/identifiers.ts';
import type { SourceId } from '../domain/plan.ts';
import type { Store } from '../ports/store.ts';
import { base64, readLog } from './store-contents.ts';

export const ada: SessionId = parseSessionId('ada');
export const bob: SessionId = parseSessionId('bob');
export const source = 'urn:conformance:source' as SourceId;

/** Text as bytes. */
export function bytes(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}

/** Entries `first` to before `end`, each telling its number. */
export function entries(first: number, end: number): Uint8Array[] {
  return Array.from({ length: end - first }, (_, index) => bytes(`{"entry":${first + index}}`));
}

/** Every byte value, and no length that a block or page would like. */
export function oddBytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8)) & 0xff);
}

/** Ids that are easily confused, escaped or sorted wrongly; in UTF-8 byte order. */
export const hostileIds: readonly SessionId[] = [
  ' ',
  '  leading and trailing  ',
  '%',
  '%2F',
  '%e',
  '*',
  '..%2f..',
  '...',
  '0',
  '00',
  ':',
  'CON',
  'a',
  'a ',
  'a!',
  'aa',
  'con',
  'new\nline',
  'x'.repeat(254),
  'x'.repeat(255),
  '~',
  '\u007f',
  '\u00e9',
  'e\u0301',
  '\u4e2d'.repeat(85),
  '\ufeffbom',
  '\uffff',
  '\u{10000}',
  '\u{1f600}',
]
  .map(parseSessionId)
  .sort((one, other) => Buffer.compare(Buffer.from(one, 'utf8'), Buffer.from(other, 'utf8')));

/** The log of an existing session must be exactly these entries. */
export async function assertLog(store: Store, session: SessionId, expected: readonly Uint8Array[]): Promise<void> {
  await using view = await store.openSession(session);
  assert.ok(view !== undefined, `session ${JSON.stringify(session)} must exist`);
  assert.deepEqual((await readLog(view)).map(base64), expected.map(base64));
}

/** The promise must reject with this code. */
export async function assertCode(code: ErrorCode, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, { name: 'PersistenceError', code });
}
