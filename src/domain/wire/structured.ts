import type { Command } from '../command.ts';
import type { Content } from '../delivery.ts';
import { JsonSyntaxError } from '../documents/json-reader.ts';
import { compactJson } from '../documents/json-text.ts';
import { encodeMessage, type Message, type MessageHeader } from '../message.ts';
import { contentTypeHeader, structuredMediaType } from './binary.ts';
import { specVersion } from './event.ts';
import { carriesJson, contentOfEvent, unreadable } from './event-content.ts';
import { readStructured } from './structured-event.ts';

/**
 * What one event in structured mode says, for instance a line of an NDJSON file without its line feed. The same as
 * `decodeBinary` says of {@link messageOfEvent}. Never throws.
 */
export function decodeEvent(text: Uint8Array): Content {
  const whole = (): Uint8Array => encodeMessage(messageOfEvent(text));
  const structured = readStructured(text);
  if ('code' in structured) return unreadable(structured, undefined, whole);
  return contentOfEvent(structured.event, structured.data, whole);
}

const structuredHeaders: readonly MessageHeader[] = Object.freeze([
  [contentTypeHeader, Buffer.from(structuredMediaType, 'latin1')],
]);

/** An event in structured mode as a message: the text is its value, its subject (if it can be read) the key. */
export function messageOfEvent(text: Uint8Array): Message {
  const structured = readStructured(text);
  const key = 'code' in structured ? undefined : structured.event.subject;
  return { key, headers: structuredHeaders, value: text };
}

/**
 * The command as one line of NDJSON without its line feed: an event in structured mode, attributes in a fixed order.
 * JSON data stands verbatim as `data`; opaque bytes, and what is not JSON after all, as `data_base64`. Nothing else is
 * checked: `refusalOf` says beforehand what a worker would refuse.
 */
export function encodeEvent(command: Command): Uint8Array {
  const attributes: (readonly [string, string])[] = [
    ['specversion', specVersion],
    ['id', command.id],
    ['source', command.kind === 'skip' ? command.source : command.writer],
    ['type', command.type],
    ['subject', command.session],
  ];
  if (command.time !== undefined) attributes.push(['time', command.time]);
  if (command.kind === 'numbered') attributes.push(['macpsequence', `${command.sequence}`]);
  if (command.kind !== 'skip') attributes.push(['macpepoch', `${command.epoch}`]);
  if (command.traceparent !== undefined) attributes.push(['traceparent', command.traceparent]);
  const members = attributes.map(([name, value]) => `"${name}":${JSON.stringify(value)}`).join(',');
  if (command.kind === 'claim' || command.data.length === 0) return Buffer.from(`{${members}}`, 'utf8');
  const json = carriesJson(command.type) ? asJson(command.data) : undefined;
  if (json !== undefined) {
    const start = Buffer.from(`{${members},"datacontenttype":"application/json","data":`, 'utf8');
    return Buffer.concat([start, json, closing]);
  }
  const type = carriesJson(command.type) ? 'application/json' : 'application/octet-stream';
  const data = Buffer.from(command.data.buffer, command.data.byteOffset, command.data.byteLength).toString('base64');
  return Buffer.from(`{${members},"datacontenttype":"${type}","data_base64":"${data}"}`, 'utf8');
}

const closing = Buffer.from('}', 'latin1');

/** `data` as JSON text without line breaks, or undefined when it is none. */
function asJson(data: Uint8Array): Uint8Array | undefined {
  try {
    return compactJson(data);
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined;
    throw error;
  }
}
