import type { Refusal } from '../delivery.ts';
import type { Epoch, Sequence, SessionId, Writer } from '../identifiers.ts';
import {
  type DeadLetter,
  type DeadLetterReason,
  type Decision,
  deadLetterReasons,
  type FiledId,
  type FiledRecord,
} from '../plan.ts';
import { type ByteReader, readRecord } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { readErrorCode } from './error-code.ts';
import { readPosition, writePosition } from './position.ts';

const formatVersion = 1;
const deadLetterTag = 1;
const decisionTag = 2;
const usualBytes = 512;

/**
 * A dead letter or decision as bytes: format version; a tag (1 dead letter, 2 decision); the record's fields in the
 * order of their type, absent ones as one 0 byte. Reasons and codes stand as texts.
 */
export function encodeFiled(record: FiledRecord): Uint8Array {
  const out = new ByteWriter(usualBytes + (record.kind === 'dead letter' ? record.message.length : 0));
  out.byte(formatVersion);
  if (record.kind === 'dead letter') writeDeadLetter(out, record);
  else writeDecision(out, record);
  return out.finish();
}

/** The record that {@link encodeFiled} wrote. Throws `STORE_CORRUPT`. */
export function decodeFiled(bytes: Uint8Array): FiledRecord {
  return readRecord('dead letter or decision', formatVersion, bytes, (reader) => {
    const tag = reader.byte();
    if (tag === deadLetterTag) return readDeadLetter(reader);
    if (tag === decisionTag) return readDecision(reader);
    throw new RangeError(`tag ${tag}`);
  });
}

function writeDeadLetter(out: ByteWriter, letter: DeadLetter): void {
  out.byte(deadLetterTag);
  out.text(letter.id);
  out.text(letter.reason);
  out.text(letter.detail);
  out.optional(letter.refusal, (refusal) => {
    out.text(refusal.code);
    out.text(refusal.message);
  });
  out.optional(letter.session, (session) => out.text(session));
  out.optional(letter.epoch, (epoch) => out.varint(epoch));
  out.optional(letter.writer, (writer) => out.text(writer));
  out.optional(letter.sequence, (sequence) => out.varint(sequence));
  writePosition(out, letter.position);
  out.bytes(letter.message);
}

function readDeadLetter(reader: ByteReader): DeadLetter {
  return {
    kind: 'dead letter',
    id: reader.text() as FiledId,
    reason: readReason(reader),
    detail: reader.text(),
    refusal: reader.optional(() => readRefusal(reader)),
    session: reader.optional(() => reader.text() as SessionId),
    epoch: reader.optional(() => reader.varint() as Epoch),
    writer: reader.optional(() => reader.text() as Writer),
    sequence: reader.optional(() => reader.varint() as Sequence),
    position: readPosition(reader),
    message: reader.bytes(),
  };
}

function readReason(reader: ByteReader): DeadLetterReason {
  const text = reader.text();
  const reason = deadLetterReasons.find((known) => known === text);
  if (reason === undefined) throw new RangeError(`reason ${text}`);
  return reason;
}

function readRefusal(reader: ByteReader): Refusal {
  return { code: readErrorCode(reader), message: reader.text() };
}

function writeDecision(out: ByteWriter, decision: Decision): void {
  out.byte(decisionTag);
  out.text(decision.id);
  out.text(decision.session);
  out.varint(decision.epoch);
  out.varint(decision.sequence);
  out.text(decision.by);
  out.text(decision.reason);
  writePosition(out, decision.position);
}

function readDecision(reader: ByteReader): Decision {
  return {
    kind: 'decision',
    id: reader.text() as FiledId,
    session: reader.text() as SessionId,
    epoch: reader.varint() as Epoch,
    sequence: reader.varint() as Sequence,
    by: reader.text(),
    reason: reader.text(),
    position: readPosition(reader),
  };
}
