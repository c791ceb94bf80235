import { type Digest, digestBytes } from '../digest.ts';
import type { Epoch, Sequence, Writer } from '../identifiers.ts';
import type { ParkedCommand, ParkedHeader } from '../plan.ts';
import { type ByteReader, readRecord } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { readPosition, writePosition } from './position.ts';

const formatVersion = 1;
const usualHeaderBytes = 128;

/** A parked header as bytes: format version; sequence, epoch, writer, digest, bytes. */
export function encodeParkedHeader(header: ParkedHeader): Uint8Array {
  const out = new ByteWriter(usualHeaderBytes);
  out.byte(formatVersion);
  writeHeader(out, header);
  return out.finish();
}

/** The header that {@link encodeParkedHeader} wrote. Throws `STORE_CORRUPT`. */
export function decodeParkedHeader(bytes: Uint8Array): ParkedHeader {
  return readRecord('parked header', formatVersion, bytes, readHeader);
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

/** The command that {@link encodeParkedCommand} wrote. Throws `STORE_CORRUPT`. */
export function decodeParkedCommand(bytes: Uint8Array): ParkedCommand {
  return readRecord('parked command', formatVersion, bytes, (reader) => ({
    ...readHeader(reader),
    position: readPosition(reader),
    message: reader.bytes(),
  }));
}

function writeHeader(out: ByteWriter, header: ParkedHeader): void {
  out.varint(header.sequence);
  out.varint(header.epoch);
  out.text(header.writer);
  out.binary(header.digest);
  out.varint(header.bytes);
}

function readHeader(reader: ByteReader): ParkedHeader {
  return {
    sequence: reader.varint() as Sequence,
    epoch: reader.varint() as Epoch,
    writer: reader.text() as Writer,
    digest: reader.binary(digestBytes) as Digest,
    bytes: reader.varint(),
  };
}
