import { type Command, type CommandType, claimType, numberedTypes, skipType } from '../command.ts';
import type { Content } from '../delivery.ts';
import { encodeMessage, type Message, type MessageHeader } from '../message.ts';
import { isJsonType, mediaType } from './attribute-values.ts';
import { type EventAttributes, emptyEvent, received, receivedOther, receivedText, specVersion } from './event.ts';
import { carriesJson, contentOfEvent, unreadable } from './event-content.ts';
import { readStructured } from './structured-event.ts';

/** Prefix of the headers that hold CloudEvents attributes (CloudEvents 1.0.2, Kafka protocol binding, 3.2). */
export const attributeHeaderPrefix = 'ce_';
/** Header with the media type of the data, or of the whole event in structured mode. */
export const contentTypeHeader = 'content-type';
/** Media types of the other content modes (CloudEvents 1.0.2, JSON event format). */
export const structuredMediaType = 'application/cloudevents+json';
export const batchMediaType = 'application/cloudevents-batch+json';

/**
 * What a message says: CloudEvents 1.0 in binary content mode (attributes in `ce_*` headers, data as the value), or
 * in structured mode when `content-type` is `application/cloudevents+json`. The key must be the session id. Headers
 * that belong to no event (neither `ce_*`, `content-type` nor `traceparent`) are ignored. Never throws.
 */
export function decodeBinary(message: Message): Content {
  const event = emptyEvent();
  event.keyed = true;
  event.key = message.key;
  const { headers } = message;
  let trace: Uint8Array | undefined;
  for (let index = 0; index < headers.length; index += 1) {
    const header = headers[index];
    if (header === undefined) continue;
    if (header[0] === 'traceparent') trace = receivedText(event, 'traceparent', trace, header[1]);
    else receiveHeader(event, header);
  }
  event.traceparent ??= trace;
  const { datacontenttype } = event;
  if (datacontenttype !== undefined && !isJsonType(datacontenttype)) {
    const type = mediaType(datacontenttype);
    if (type.startsWith('application/cloudevents')) return decodeWhole(message, type, event);
  }
  return contentOfEvent(event, message.value, () => encodeMessage(message));
}

function receiveHeader(event: EventAttributes, [name, value]: MessageHeader): void {
  switch (name) {
    case 'ce_specversion':
      event.specversion = received(event, 'specversion', event.specversion, value);
      return;
    case 'ce_type':
      event.type = received(event, 'type', event.type, value);
      return;
    case 'ce_id':
      event.id = received(event, 'id', event.id, value);
      return;
    case 'ce_source':
      event.source = received(event, 'source', event.source, value);
      return;
    case 'ce_subject':
      event.subject = received(event, 'subject', event.subject, value);
      return;
    case 'ce_macpsequence':
      event.macpsequence = received(event, 'macpsequence', event.macpsequence, value);
      return;
    case 'ce_macpepoch':
      event.macpepoch = received(event, 'macpepoch', event.macpepoch, value);
      return;
    case 'ce_time':
      event.time = received(event, 'time', event.time, value);
      return;
    case 'ce_traceparent':
      event.traceparent = receivedText(event, 'traceparent', event.traceparent, value);
      return;
    case contentTypeHeader:
      event.datacontenttype = receivedText(event, contentTypeHeader, event.datacontenttype, value);
      return;
    default:
      if (name.startsWith(attributeHeaderPrefix)) receivedOther(event, name, value);
  }
}

/** A message whose value is a whole event. Its `ce_*` headers, allowed as a convenience for routers, do not count. */
function decodeWhole(message: Message, type: string, headers: EventAttributes): Content {
  const whole = (): Uint8Array => encodeMessage(message);
  if (type !== structuredMediaType) {
    const refusal = {
      code: 'UNSUPPORTED_CONTENT_MODE',
      message: `a message holds one event, in binary mode or as ${structuredMediaType}, not as ${JSON.stringify(type.slice(0, 64))}`,
    } as const;
    return unreadable(refusal, undefined, whole);
  }
  const structured = readStructured(message.value);
  if ('code' in structured) return unreadable(headers.problem ?? structured, undefined, whole);
  const { event, data } = structured;
  event.keyed = true;
  event.key = headers.key;
  event.traceparent ??= headers.traceparent;
  event.problem ??= headers.problem;
  return contentOfEvent(event, data, whole);
}

const noData = new Uint8Array(0);
const text = (value: string): Uint8Array => Buffer.from(value, 'utf8');

const specVersionHeader: MessageHeader = ['ce_specversion', text(specVersion)];
const jsonContentType: MessageHeader = [contentTypeHeader, text('application/json')];
const opaqueContentType: MessageHeader = [contentTypeHeader, text('application/octet-stream')];
const commandTypes: readonly CommandType[] = [...numberedTypes, claimType, skipType];
const typeHeaders: ReadonlyMap<CommandType, MessageHeader> = new Map(
  commandTypes.map((type) => [type, ['ce_type', text(type)]]),
);

/**
 * The command as a message in binary content mode. Nothing is checked: `refusalOf` says beforehand what a worker
 * would refuse. The value is the command's data itself, not a copy.
 */
export function encodeBinary(command: Command): Message {
  const session = text(command.session);
  const headers: MessageHeader[] = [
    specVersionHeader,
    ['ce_id', text(command.id)],
    ['ce_source', text(command.kind === 'skip' ? command.source : command.writer)],
    typeHeaders.get(command.type) ?? ['ce_type', text(command.type)],
    ['ce_subject', session],
  ];
  if (command.time !== undefined) headers.push(['ce_time', text(command.time)]);
  if (command.kind === 'numbered') headers.push(['ce_macpsequence', text(`${command.sequence}`)]);
  if (command.kind !== 'skip') headers.push(['ce_macpepoch', text(`${command.epoch}`)]);
  if (command.traceparent !== undefined) headers.push(['ce_traceparent', text(command.traceparent)]);
  const value = command.kind === 'claim' ? noData : command.data;
  if (value.length > 0) headers.push(carriesJson(command.type) ? jsonContentType : opaqueContentType);
  return { key: session, headers, value };
}
