import { PersistenceError } from '../domain/errors.ts';

/**
 * A JSON document: an object, or its text as a string or as UTF-8 bytes. A text is stored as it is, but for white
 * space between its tokens; bytes must not be changed before the command is acknowledged.
 */
export type JsonDocument = object | string | Uint8Array;

/** The document's text. Throws `INVALID_DATA` for a string that is not Unicode. */
export function documentBytes(document: JsonDocument): Uint8Array {
  if (document instanceof Uint8Array) return document;
  const text = typeof document === 'string' ? document : JSON.stringify(document);
  if (!text.isWellFormed()) throw new PersistenceError('INVALID_DATA', 'the document holds a lone surrogate');
  return Buffer.from(text, 'utf8');
}

/** One JSON array of the documents. */
export function arrayBytes(documents: readonly JsonDocument[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const document of documents) parts.push(parts.length === 0 ? open : comma, documentBytes(document));
  return Buffer.concat([...(parts.length === 0 ? [open] : parts), close]);
}

const open = Buffer.from('[', 'latin1');
const comma = Buffer.from(',', 'latin1');
const close = Buffer.from(']', 'latin1');
