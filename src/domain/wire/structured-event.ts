import type { Refusal } from '../delivery.ts';
import { JsonReader, JsonSyntaxError } from '../documents/json-reader.ts';
import { decodeText, textBetween } from '../documents/json-text.ts';
import { mediaType } from './attribute-values.ts';
import { shown } from './bytes.ts';
import { type AttributeName, type EventAttributes, emptyEvent, received, receivedOther, unusable } from './event.ts';

/** An event in structured mode, taken apart: `data` are the bytes sent, empty when there were none. */
export interface StructuredEvent {
  readonly event: EventAttributes;
  readonly data: Uint8Array;
}

/** The members of an event that hold its data; they are no attributes. */
interface DataMembers {
  data: Uint8Array | undefined;
  base64: string | undefined;
}

const quote = 0x22;
const none = new Uint8Array(0);

/**
 * Takes the JSON text of one event apart (CloudEvents 1.0.2, JSON event format, 3): attributes as the bytes their
 * strings or numbers write, `data` as the very bytes of its JSON value. A refusal, `INVALID_EVENT`, when the text is
 * not a JSON object; what else is wrong is noted in the event.
 */
export function readStructured(text: Uint8Array): StructuredEvent | Refusal {
  const event = emptyEvent();
  const members: DataMembers = { data: undefined, base64: undefined };
  const reader = new JsonReader(text);
  try {
    if (reader.next() !== 0x7b) reader.fail('an object');
    readMembers(reader, event, members);
    reader.finish();
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    return { code: 'INVALID_EVENT', message: `the event is not a JSON object: ${error.message}` };
  }
  return { event, data: dataOf(event, members) };
}

function readMembers(reader: JsonReader, event: EventAttributes, members: DataMembers): void {
  reader.at += 1;
  if (reader.next() === 0x7d) {
    reader.at += 1;
    return;
  }
  for (;;) {
    reader.next();
    const nameAt = reader.at;
    reader.text(false);
    const name = memberName(reader.bytes, nameAt, reader.at);
    reader.expect(0x3a, '":"');
    reader.next();
    const start = reader.at;
    reader.value();
    readMember(event, members, name, reader.bytes.subarray(start, reader.at));
    const byte = reader.next();
    if (byte !== 0x2c && byte !== 0x7d) reader.fail('"," or "}"');
    reader.at += 1;
    if (byte === 0x7d) return;
  }
}

function memberName(bytes: Uint8Array, start: number, end: number): string {
  const name = textBetween(bytes, start + 1, end - 1);
  return name.includes('\\') ? decodeText(bytes, start) : name;
}

function readMember(event: EventAttributes, members: DataMembers, name: string, value: Uint8Array): void {
  if (name === 'data') {
    if (members.data !== undefined) repeated(event, name);
    members.data = value;
    return;
  }
  // "null" and nothing else starts with n. A null attribute is an absent one; null as data is data.
  if (value[0] === 0x6e) return;
  if (name === 'data_base64') {
    if (members.base64 !== undefined) repeated(event, name);
    members.base64 = value[0] === quote ? decodeText(value, 0) : invalidMember(event, name, 'a string');
    return;
  }
  readAttribute(event, name, value);
}

function readAttribute(event: EventAttributes, name: string, value: Uint8Array): void {
  switch (name) {
    case 'specversion':
    case 'id':
    case 'source':
    case 'type':
    case 'subject':
    case 'time':
    case 'datacontenttype':
    case 'traceparent':
      event[name] = received(event, name, event[name], stringValue(event, name, value));
      return;
    case 'macpsequence':
    case 'macpepoch':
      event[name] = received(event, name, event[name], numberValue(event, name, value));
      return;
    default: {
      const first = value[0];
      if (first === 0x7b || first === 0x5b) invalidMember(event, name, 'a string, number or boolean');
      else receivedOther(event, name, first === quote ? stringValue(event, name, value) : value);
    }
  }
}

/** The bytes of a string, which is most often what stands between its quotes. */
function stringValue(event: EventAttributes, name: string, value: Uint8Array): Uint8Array {
  if (value[0] !== quote) {
    invalidMember(event, name, 'a string');
    return unusable;
  }
  if (!value.includes(0x5c)) return value.subarray(1, -1);
  const text = decodeText(value, 0);
  if (text.isWellFormed()) return Buffer.from(text, 'utf8');
  invalidMember(event, name, 'well-formed Unicode: it holds a lone surrogate');
  return unusable;
}

function numberValue(event: EventAttributes, name: AttributeName, value: Uint8Array): Uint8Array {
  const first = value[0] ?? 0;
  const isNumber = first === 0x2d || (first >= 0x30 && first <= 0x39);
  return isNumber ? value : stringValue(event, name, value);
}

/** The value is not repeated: it may be data that was meant to stand elsewhere, and messages end up in logs. */
function invalidMember(event: EventAttributes, name: string, expected: string): string {
  event.problem ??= { code: 'INVALID_ATTRIBUTE', message: `${shown(name)} is not ${expected}` };
  return '';
}

function repeated(event: EventAttributes, name: string): void {
  event.problem ??= { code: 'REPEATED_ATTRIBUTE', message: `the member ${name} stands more than once` };
}

function dataOf(event: EventAttributes, { data, base64 }: DataMembers): Uint8Array {
  if (data !== undefined && base64 !== undefined) {
    event.problem ??= { code: 'INVALID_EVENT', message: 'the event carries both data and data_base64' };
  }
  if (data !== undefined) {
    checkVerbatim(event);
    return data;
  }
  if (base64 === undefined) return none;
  const bytes = Buffer.from(base64, 'base64');
  // Node ignores what is not base64: only text that comes out again was base64 as RFC 4648, 4 has it.
  if (bytes.toString('base64') === base64) return bytes;
  event.problem ??= { code: 'INVALID_ATTRIBUTE', message: 'data_base64 is not base64 (RFC 4648)' };
  return none;
}

/**
 * Data that says it is not JSON cannot stand as `data`: CloudEvents would read the content of a string there, and
 * verbatim bytes would be its quoted form. Better refused than stored as something else than the sender meant.
 */
function checkVerbatim(event: EventAttributes): void {
  const { datacontenttype } = event;
  if (datacontenttype === undefined || datacontenttype.length === 0) return;
  const type = mediaType(datacontenttype);
  if (type === 'application/json' || type.endsWith('+json') || type.endsWith('/json')) return;
  const message = `data of the content type ${shown(datacontenttype)} must be sent as data_base64`;
  event.problem ??= { code: 'INVALID_EVENT', message };
}
