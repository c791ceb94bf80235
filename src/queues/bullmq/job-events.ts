import { isUtf8 } from 'node:buffer';
import type { Message, MessageHeader } from '../../domain/message.ts';
import { contentTypeHeader } from '../../domain/wire/binary.ts';

/**
 * An event as a job carries it: the attributes of CloudEvents by their names, and its data as text, `data`, or, where
 * it is no UTF-8, as `data_base64`. Text it stays: JSON within JSON would be written anew on its way.
 */
export type JobEvent = Readonly<Record<string, string>>;

/** The data of a job. */
export interface JobData {
  readonly events: readonly JobEvent[];
}

const attributePrefix = 'ce_';
export const textMember = 'data';
export const bytesMember = 'data_base64';
const contentTypeMember = 'datacontenttype';
const keyHeader = 'ce_subject';

/** A message in binary content mode as an event of a job. */
export function eventOf({ headers, value }: Message): JobEvent {
  const event: Record<string, string> = {};
  for (const [name, bytes] of headers) event[memberOf(name)] = Buffer.from(bytes).toString('utf8');
  if (value.length === 0) return event;
  const data = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (isUtf8(data)) event[textMember] = data.toString('utf8');
  else event[bytesMember] = data.toString('base64');
  return event;
}

/** The message that an event of a job stands for; undefined when it is none that {@link eventOf} could have made. */
export function messageOf(event: unknown): Message | undefined {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return undefined;
  const headers: MessageHeader[] = [];
  let value: Uint8Array | undefined;
  for (const [name, member] of Object.entries(event)) {
    // As in the structured mode of CloudEvents, null says that an attribute is absent.
    if (member === null) continue;
    const text = textOf(member);
    if (text === undefined) return undefined;
    if (name === textMember || name === bytesMember) {
      const data = name === textMember ? Buffer.from(text, 'utf8') : bytesOf(text);
      if (data === undefined || value !== undefined) return undefined;
      value = data;
      continue;
    }
    headers.push([headerOf(name), Buffer.from(text, 'utf8')]);
  }
  return { key: keyOf(headers), headers, value: value ?? new Uint8Array(0) };
}

/** The key of a message with these headers: the session id. */
export function keyOf(headers: readonly MessageHeader[]): Uint8Array | undefined {
  for (let index = headers.length - 1; index >= 0; index -= 1) {
    if (headers[index]?.[0] === keyHeader) return headers[index]?.[1];
  }
  return undefined;
}

/** About how many bytes an event takes, or what stands in its stead. */
export function eventBytes(event: unknown): number {
  if (typeof event !== 'object' || event === null) return 1;
  let bytes = 1;
  for (const [name, text] of Object.entries(event)) {
    bytes += name.length + (typeof text === 'string' ? Buffer.byteLength(text, 'utf8') : 1);
  }
  return bytes;
}

/** The header that the attribute `member` becomes. */
export function headerOf(member: string): string {
  return member === contentTypeMember ? contentTypeHeader : `${attributePrefix}${member}`;
}

function memberOf(header: string): string {
  if (header === contentTypeHeader) return contentTypeMember;
  return header.startsWith(attributePrefix) ? header.slice(attributePrefix.length) : header;
}

function textOf(member: unknown): string | undefined {
  if (typeof member === 'string') return member;
  return Number.isSafeInteger(member) ? String(member) : undefined;
}

/** What `base64` writes; undefined for what is no base64. */
export function bytesOf(base64: string): Buffer | undefined {
  const bytes = Buffer.from(base64, 'base64');
  return bytes.toString('base64') === base64 ? bytes : undefined;
}
