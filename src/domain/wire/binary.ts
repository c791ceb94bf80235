import { type Command, type CommandType, claimType, numberedTypes, skipType } from '../command.ts';
import type { Content } from '../delivery.ts';
import { encodeMessage, type Message, type MessageHeader } from '../message.ts';
import { isJsonType, mediaType } from './attribute-values.ts';
import {
  type AttributeName,
  type EventAttributes,
  emptyEvent,
  received,
  receivedOther,
  receivedText,
  specVersion,
} from './event.ts';
import { carriesJson, contentOfEvent, unreadable } from './event-content.ts';
import { readStructured } from './structured-event.ts';

/** Prefix of the headers that hold CloudEvents attributes (CloudEvents 1.0.2, Kafka protocol binding, 3.2). */
const attributeHeaderPrefix = 'ce_';
/** Header with the media type of the data, or of the whole event in structured mode. */
export const contentTypeHeader = 'content-type';
/** Header that other software puts the W3C trace context in; `ce_traceparent` stands before it. */
export const traceHeader = 'traceparent';
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
  for (let index = 0; index < headers.length; index += 1) {
    const header = headers[index];
    if (header !== undefined) receiveHeader(event, header);
  }
  event.traceparent ??= event.traceHeader;
  const { datacontenttype } = event;
  if (datacontenttype !== undefined && !isJsonType(datacontenttype)) {
    const type = mediaType(datacontenttype);
    if (type.startsWith('application/cloudevents')) return decodeWhole(message, type, event);
  }
  return contentOfEvent(event, message.value, () => encodeMessage(message));
}

function receiveHeader(event: EventAttributes, [name, value]: MessageHeader): void {
  const attribute = attributeOf(name);
  switch (attribute) {
    case 'specversion':
      event.specversion = received(event, attribute, event.specversion, value);
      return;
    case 'type':
      event.type = received(event, attribute, event.type, value);
      return;
    case 'id':
      event.id = received(event, attribute, event.id, value);
      return;
    case 'source':
      event.source = received(event, attribute, event.source, value);
      return;
    case 'subject':
      event.subject = received(event, attribute, event.subject, value);
      return;
    case 'macpsequence':
      event.macpsequence = received(event, attribute, event.macpsequence, value);
      return;
    case 'macpepoch':
      event.macpepoch = received(event, attribute, event.macpepoch, value);
      return;
    case 'time':
      event.time = received(event, attribute, event.time, value);
      return;
    case 'traceparent':
      event.traceparent = receivedText(event, attribute, event.traceparent, value);
      return;
    case 'datacontenttype':
      event.datacontenttype = receivedText(event, contentTypeHeader, event.datacontenttype, value);
      return;
    default:
      if (name === traceHeader) event.traceHeader = receivedText(event, traceHeader, event.traceHeader, value);
      else if (name.startsWith(attributeHeaderPrefix)) receivedOther(event, name, value);
  }
}

/** Which attribute a header holds. Its length picks the candidate, because names arrive as strings nobody has seen. */
function attributeOf(name: string): AttributeName | undefined {
  switch (name.length) {
    case 5:
      return name === 'ce_id' ? 'id' : undefined;
    case 7:
      return name === 'ce_type' ? 'type' : name === 'ce_time' ? 'time' : undefined;
    case 9:
      return name === 'ce_source' ? 'source' : undefined;
    case 10:
      return name === 'ce_subject' ? 'subject' : undefined;
    case 12:
      return name === contentTypeHeader ? 'datacontenttype' : name === 'ce_macpepoch' ? 'macpepoch' : undefined;
    case 14:
      return name === 'ce_specversion' ? 'specversion' : name === 'ce_traceparent' ? 'traceparent' : undefined;
    case 15:
      return name === 'ce_macpsequence' ? 'macpsequence' : undefined;
    default:
      return undefined;
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
