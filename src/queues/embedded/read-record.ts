import {
  type Command,
  claimType,
  commandId,
  numberedTypes,
  type SkipDecision,
  skipType,
} from '../../domain/command.ts';
import type { Content } from '../../domain/delivery.ts';
import type { Epoch, Sequence, SessionId, Writer } from '../../domain/identifiers.ts';
import { contentOf, plainContent } from '../../domain/wire/content.ts';

import { prefixBytes, type RecordFrame, twoTo32, viewOf } from '../../segments/frame.ts';
import { bodyAt, claimNumber, fixedBodyBytes, flag, recordTypes, skipNumber } from './record-layout.ts';

/** What a record is to the rule. Its data lies in the record's bytes, it is no copy. */
export function readContent(frame: RecordFrame): Content {
  const { bytes, start, end } = frame;
  const body = start + prefixBytes;
  // Time and trace context stand before the data and are nothing to the rule, but are rarely there.
  if (bytes[body + bodyAt.flags] !== flag.plain) return contentOf(readCommand(frame));
  const type = numberedTypes[bytes[body + bodyAt.type] ?? recordTypes.length];
  if (type === undefined) throw new RangeError('a record is marked plain, but is of no numbered type');
  const epoch = readNumber(bytes, body + bodyAt.epoch) as Epoch;
  const sequence = readNumber(bytes, body + bodyAt.sequence) as Sequence;
  const sessionEnd = body + fixedBodyBytes + bytes.readUInt16BE(body + bodyAt.session);
  const writerEnd = sessionEnd + bytes.readUInt16BE(body + bodyAt.writer);
  const session = bytes.toString('utf8', body + fixedBodyBytes, sessionEnd) as SessionId;
  const writer = bytes.toString('latin1', sessionEnd, writerEnd) as Writer;
  return plainContent(type, session, writer, epoch, sequence, viewOf(bytes, writerEnd, end));
}

/** The command of a record. Its data lies in the record's bytes, it is no copy. */
export function readCommand(frame: RecordFrame): Command {
  const { bytes, start, end } = frame;
  const body = start + prefixBytes;
  const typeNumber = bytes[body + bodyAt.type] ?? recordTypes.length;
  const flags = bytes[body + bodyAt.flags] ?? 0;
  const epoch = readNumber(bytes, body + bodyAt.epoch) as Epoch;
  const sessionEnd = body + fixedBodyBytes + bytes.readUInt16BE(body + bodyAt.session);
  let at = sessionEnd + bytes.readUInt16BE(body + bodyAt.writer);
  const session = bytes.toString('utf8', body + fixedBodyBytes, sessionEnd) as SessionId;
  const writer = bytes.toString('latin1', sessionEnd, at) as Writer;

  const text = (): string => {
    const from = at + 4;
    at = from + bytes.readUInt32BE(at);
    return bytes.toString('utf8', from, at);
  };
  const id = (flags & flag.id) === 0 ? '' : text();
  const time = (flags & flag.time) === 0 ? undefined : text();
  const traceparent = (flags & flag.traceparent) === 0 ? undefined : text();

  if (typeNumber === claimNumber) {
    const claimId = commandId(session, epoch, 'claim');
    return { kind: 'claim', type: claimType, session, writer, epoch, id: claimId, time, traceparent };
  }
  const data = bytes.subarray(at, end);
  if (typeNumber === skipNumber) {
    const decision = readDecision(data);
    return {
      kind: 'skip',
      type: skipType,
      session,
      source: writer,
      decision,
      id,
      time,
      traceparent,
      data,
    };
  }
  const sequence = readNumber(bytes, body + bodyAt.sequence) as Sequence;
  const type = numberedTypes[typeNumber];
  if (type === undefined) throw new RangeError(`type number ${typeNumber} is not known`);
  const numberedId = commandId(session, epoch, sequence);
  return { kind: 'numbered', type, session, writer, epoch, sequence, id: numberedId, time, traceparent, data };
}

function readDecision(data: Buffer): SkipDecision {
  const { sequence, epoch, by, reason } = JSON.parse(data.toString('utf8')) as SkipDecision;
  return { sequence, epoch, by, reason };
}

function readNumber(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * twoTo32 + bytes.readUInt32BE(at + 4);
}
