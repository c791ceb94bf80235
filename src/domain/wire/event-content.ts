import { type CommandType, claimType, skipType } from '../command.ts';
import type { Content, NumberedContent, Refusal, UnreadableContent } from '../delivery.ts';
import { bytesDigest, commandDigest } from '../digest.ts';
import { checkData, readSkipDecision } from '../documents/check-data.ts';
import type { Epoch, Sequence, SessionId, Writer } from '../identifiers.ts';
import {
  isCommandId,
  isJsonType,
  missing,
  numberRefusal,
  readNumber,
  readSession,
  readType,
  readUuid,
  readWriter,
  sessionRefusal,
  writerRefusal,
} from './attribute-values.ts';
import { asBuffer, sameBytes, shown, utf8Text } from './bytes.ts';
import { type EventAttributes, specVersion, unusable } from './event.ts';
import { isTimestamp } from './timestamp.ts';

const specVersionBytes = Buffer.from(specVersion, 'latin1');
const claimBytes = Buffer.from('claim', 'latin1');

/**
 * What an event says, in whichever content mode it came. `data` are the bytes as sent, empty when there were none;
 * `whole` is the message as `encodeMessage` writes it, asked for only when the event cannot be read. Never throws.
 *
 * A numbered event stays `numbered`, with a refusal, as long as session, epoch, writer and sequence can be read,
 * because its number then stays open; a claim or skip that is not valid is `unreadable`: no session waits for it.
 */
export function contentOfEvent(event: EventAttributes, data: Uint8Array, whole: () => Uint8Array): Content {
  const session = event.subject === undefined ? undefined : readSession(event.subject);
  const type = event.type === undefined ? undefined : readType(event.type);
  if (type === claimType) return claimOfEvent(event, session, data, whole);
  if (type === skipType) return skipOfEvent(event, session, data, whole);
  const epoch = readCount(event.macpepoch) as Epoch | undefined;
  const writer = event.source === undefined ? undefined : readWriter(event.source);
  const sequence = readCount(event.macpsequence) as Sequence | undefined;
  if (session === undefined || epoch === undefined || writer === undefined || sequence === undefined) {
    const refusal = headRefusal(event, type) ?? identityRefusal(event, session, epoch, writer);
    return unreadable(refusal, session, whole);
  }
  const refusal = headRefusal(event, type) ?? numberedRefusal(event, type);
  const given = type ?? asBuffer(event.type ?? unusable).toString('utf8');
  return numberedContent(given, session, writer, epoch, sequence, data, refusal);
}

/** A numbered content: checks the data and makes the digest. A `refusal` that was found before stands first. */
export function numberedContent(
  type: NumberedContent['type'],
  session: SessionId,
  writer: Writer,
  epoch: Epoch,
  sequence: Sequence,
  data: Uint8Array,
  refusal: Refusal | undefined,
): NumberedContent {
  const checked = checkData(type, session, data);
  return {
    kind: 'numbered',
    type,
    session,
    writer,
    epoch,
    sequence,
    digest: commandDigest(type, checked.data),
    data: checked.data,
    facts: checked.facts,
    refusal: refusal ?? checked.refusal,
  };
}

/** A content that nobody can wait for. */
export function unreadable(
  refusal: Refusal,
  session: SessionId | undefined,
  whole: () => Uint8Array,
): UnreadableContent {
  return { kind: 'unreadable', refusal, digest: bytesDigest(whole()), session };
}

function claimOfEvent(
  event: EventAttributes,
  session: SessionId | undefined,
  data: Uint8Array,
  whole: () => Uint8Array,
): Content {
  const epoch = readCount(event.macpepoch) as Epoch | undefined;
  const writer = event.source === undefined ? undefined : readWriter(event.source);
  const head = headRefusal(event, claimType);
  if (head !== undefined || session === undefined || epoch === undefined || writer === undefined) {
    return unreadable(head ?? identityRefusal(event, session, epoch, writer), session, whole);
  }
  const refusal =
    unexpected('macpsequence', event.macpsequence, claimType) ??
    commandIdRefusal(event, claimBytes) ??
    commonRefusal(event) ??
    checkData(claimType, session, data).refusal;
  if (refusal !== undefined) return unreadable(refusal, session, whole);
  return { kind: 'claim', type: claimType, session, writer, epoch, id: textOf(event.id), ...passedThrough(event) };
}

function skipOfEvent(
  event: EventAttributes,
  session: SessionId | undefined,
  data: Uint8Array,
  whole: () => Uint8Array,
): Content {
  const source = event.source === undefined ? undefined : readWriter(event.source);
  const head = headRefusal(event, skipType);
  if (head !== undefined) return unreadable(head, session, whole);
  if (session === undefined) return unreadable(sessionRefusal(event.subject), session, whole);
  if (source === undefined) return unreadable(writerRefusal(event.source), session, whole);
  const id = event.id === undefined ? undefined : readUuid(event.id);
  if (id === undefined) return unreadable(uuidRefusal(event.id), session, whole);
  const checked = checkData(skipType, session, data);
  const refusal =
    unexpected('macpsequence', event.macpsequence, skipType) ??
    unexpected('macpepoch', event.macpepoch, skipType) ??
    commonRefusal(event) ??
    contentTypeRefusal(event, skipType) ??
    checked.refusal;
  if (refusal !== undefined) return unreadable(refusal, session, whole);
  const decision = readSkipDecision(checked.data);
  if ('code' in decision) return unreadable(decision, session, whole);
  return { kind: 'skip', type: skipType, session, source, id, decision, data: checked.data, ...passedThrough(event) };
}

/** What is wrong before anything else counts: attributes sent badly, another version, another type. */
function headRefusal(event: EventAttributes, type: CommandType | undefined): Refusal | undefined {
  if (event.problem !== undefined) return event.problem;
  if (event.specversion === undefined) return missing('specversion');
  if (!sameBytes(event.specversion, specVersionBytes)) {
    const message = `specversion ${shown(event.specversion)} is not "${specVersion}"`;
    return { code: 'UNSUPPORTED_SPEC_VERSION', message };
  }
  if (type !== undefined) return undefined;
  if (event.type === undefined) return missing('type');
  return { code: 'UNKNOWN_TYPE', message: `type ${shown(event.type)} is none of the command types` };
}

/** Which of session, epoch, writer and, if none of these, sequence cannot be read. */
function identityRefusal(
  event: EventAttributes,
  session: SessionId | undefined,
  epoch: Epoch | undefined,
  writer: Writer | undefined,
): Refusal {
  if (session === undefined) return sessionRefusal(event.subject);
  if (epoch === undefined) return numberRefusal('macpepoch', event.macpepoch);
  if (writer === undefined) return writerRefusal(event.source);
  return numberRefusal('macpsequence', event.macpsequence);
}

/** What is wrong with the attributes of a numbered event whose session, epoch, writer and sequence can be read. */
function numberedRefusal(event: EventAttributes, type: CommandType | undefined): Refusal | undefined {
  return (
    commandIdRefusal(event, event.macpsequence ?? unusable) ?? commonRefusal(event) ?? contentTypeRefusal(event, type)
  );
}

function commandIdRefusal(event: EventAttributes, last: Uint8Array): Refusal | undefined {
  const { id, subject = unusable, macpepoch = unusable } = event;
  if (id === undefined) return missing('id');
  if (isCommandId(id, subject, macpepoch, last)) return undefined;
  const expected = shown(Buffer.concat([subject, slash, macpepoch, slash, last]));
  return { code: 'INVALID_ATTRIBUTE', message: `id ${shown(id)} is not ${expected}` };
}

const slash = Buffer.from('/', 'latin1');

function uuidRefusal(id: Uint8Array | undefined): Refusal {
  if (id === undefined) return missing('id');
  return { code: 'INVALID_ATTRIBUTE', message: `id ${shown(id)} is not a UUID, as the id of ${skipType} has to be` };
}

function unexpected(name: string, value: Uint8Array | undefined, type: CommandType): Refusal | undefined {
  if (value === undefined) return undefined;
  return { code: 'INVALID_ATTRIBUTE', message: `${name} ${shown(value)} must be absent in ${type}` };
}

/** What is wrong with the time or the message key. */
function commonRefusal({ time, keyed, key, subject = unusable }: EventAttributes): Refusal | undefined {
  if (time !== undefined && !isTimestamp(time)) {
    return { code: 'INVALID_ATTRIBUTE', message: `time ${shown(time)} is not an RFC 3339 date and time` };
  }
  if (!keyed || (key !== undefined && sameBytes(key, subject))) return undefined;
  const problem = key === undefined ? 'is absent' : `${shown(key)} is not the session id`;
  return { code: 'INVALID_EVENT', message: `the message key ${problem}; it must be the subject, ${shown(subject)}` };
}

/** Commands of these types carry JSON and may say so, but nothing else. */
const jsonTypes: ReadonlySet<string> = new Set<CommandType>([
  'macp.log.append.v1',
  'macp.session.save.v1',
  'macp.log.replace.v1',
  skipType,
]);

/** True when the data of `type` is a JSON document: neither opaque bytes nor nothing. */
export function carriesJson(type: CommandType): boolean {
  return jsonTypes.has(type);
}

function contentTypeRefusal(event: EventAttributes, type: CommandType | undefined): Refusal | undefined {
  const { datacontenttype } = event;
  if (datacontenttype === undefined || type === undefined || !jsonTypes.has(type)) return undefined;
  if (isJsonType(datacontenttype)) return undefined;
  const message = `the content type ${shown(datacontenttype)} is not "application/json", as ${type} needs it`;
  return { code: 'INVALID_ATTRIBUTE', message };
}

function readCount(bytes: Uint8Array | undefined): number | undefined {
  return bytes === undefined ? undefined : readNumber(bytes);
}

function textOf(bytes: Uint8Array | undefined): string {
  return utf8Text(bytes ?? unusable) ?? '';
}

function passedThrough({ time, traceparent }: EventAttributes): {
  readonly time?: string;
  readonly traceparent?: string;
} {
  return {
    ...(time === undefined ? {} : { time: textOf(time) }),
    ...(traceparent === undefined ? {} : { traceparent: textOf(traceparent) }),
  };
}
