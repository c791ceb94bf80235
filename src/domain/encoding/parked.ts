import { type Digest, digestBytes } from '../digest.ts';
import type { ErrorCode } from '../errors.ts';
import type { Epoch, Sequence, Writer } from '../identifiers.ts';
import { decodeMessage } from '../message.ts';
import type { ParkedCommand, ParkedHeader } from '../plan.ts';
import { decodeBinary } from '../wire/binary.ts';
import { type ByteReader, readRecord } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { readErrorCode } from './error-code.ts';
import { readPosition, writePosition } from './position.ts';

/** 2: tells what the command will be refused for. 1: told it nowhere but in the command's message. */
const formatVersion = 2;
const oldestFormat = 1;
const usualHeaderBytes = 128;

/** A parked header as bytes: format version; sequence, epoch, writer, digest, bytes; the refusal's code as text, or 0. */
export function encodeParkedHeader(header: ParkedHeader): Uint8Array {
  const out = new ByteWriter(usualHeaderBytes);
  out.byte(formatVersion);
  writeHeader(out, header);
  return out.finish();
}

/**
 * The header that {@link encodeParkedHeader} wrote. One of format 1 counts as that of a valid command: a store that
 * holds others writes them anew, from their commands, when it is upgraded. Throws `STORE_CORRUPT`.
 */
export function decodeParkedHeader(bytes: Uint8Array): ParkedHeader {
  return readRecord('parked header', formatVersion, bytes, readHeader, oldestFormat);
}

/** A parked command as bytes: format version; the header's fields; the position; the whole message. */
export function encodeParkedCommand(command: ParkedCommand): Uint8Array {
  const out = new ByteWriter(usualHeaderBytes + command.message.length);
  out.byte(formatVersion);
  writeHeader(out, command);
  writePosition(out, command.position);
  out.bytes(command.message);
  return out.finish();
}

/** The command that {@link encodeParkedCommand} wrote, now or in format 1. Throws `STORE_CORRUPT`. */
export function decodeParkedCommand(bytes: Uint8Array): ParkedCommand {
  return readRecord('parked command', formatVersion, bytes, readCommand, oldestFormat);
}

function writeHeader(out: ByteWriter, header: ParkedHeader): void {
  out.varint(header.sequence);
  out.varint(header.epoch);
  out.text(header.writer);
  out.binary(header.digest);
  out.varint(header.bytes);
  out.optional(header.refusal, (code) => out.text(code));
}

function readCommand(reader: ByteReader, format: number): ParkedCommand {
  const header = readHeader(reader, format);
  const position = readPosition(reader);
  const message = reader.bytes();
  return { ...header, refusal: format === oldestFormat ? refusalOf(message) : header.refusal, position, message };
}

function readHeader(reader: ByteReader, format: number): ParkedHeader {
  return {
    sequence: reader.varint() as Sequence,
    epoch: reader.varint() as Epoch,
    writer: reader.text() as Writer,
    digest: reader.binary(digestBytes) as Digest,
    bytes: reader.varint(),
    refusal: format === oldestFormat ? undefined : reader.optional(() => readErrorCode(reader)),
  };
}

/** What the rule will refuse the command for once it is delivered again. */
function refusalOf(message: Uint8Array): ErrorCode | undefined {
  const content = decodeBinary(decodeMessage(message));
  return 'refusal' in content ? content.refusal?.code : undefined;
}
