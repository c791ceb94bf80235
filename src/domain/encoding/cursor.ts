import { wireLimits } from '../command.ts';
import type { Cursor, Reign } from '../cursor.ts';
import { shortDigestBytes } from '../digest.ts';
import type { Epoch, Sequence, Writer } from '../identifiers.ts';
import { type ByteReader, readRecord } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';

const formatVersion = 1;
const presences = ['unknown', 'known', 'deleted'] as const;
const presenceMask = 0x03;
const haltedFlag = 0x04;
const refusedFlag = 0x08;
const receiptFlag = 0x10;
const anchorFlag = 0x20;
const writerFlag = 0x40;
const mostRecentBytes = wireLimits.rememberedDigests * shortDigestBytes;
const usualBytes = 256;

/**
 * A cursor as bytes: format version; `version` (first, so that it can be read alone); flags (two bits of presence,
 * then halted, refused, receipt, anchor, writer); epoch, first, last; the writer if there is one; the remembered
 * digests; entries, generation, compaction base, parked commands and bytes, filed; earlier reigns; skipped ranges.
 * About 190 bytes with 16 digests and a writer of 36 characters.
 */
export function encodeCursor(cursor: Cursor): Uint8Array {
  const out = new ByteWriter(usualBytes);
  out.byte(formatVersion);
  out.varint(cursor.version);
  out.byte(flagsOf(cursor));
  out.varint(cursor.epoch);
  out.varint(cursor.first);
  out.varint(cursor.last);
  if (cursor.writer !== undefined) out.text(cursor.writer);
  out.binary(cursor.recent);
  out.varint(cursor.entries);
  out.varint(cursor.generation);
  out.varint(cursor.compactionBase);
  out.varint(cursor.parkedCommands);
  out.varint(cursor.parkedBytes);
  out.varint(cursor.filed);
  out.varint(cursor.earlier.length);
  for (const reign of cursor.earlier) writeReign(out, reign);
  out.varint(cursor.skipped.length);
  for (const range of cursor.skipped) {
    out.varint(range.from);
    out.varint(range.to);
  }
  return out.finish();
}

/** The cursor that {@link encodeCursor} wrote. Throws `STORE_CORRUPT` on bytes that it did not write. */
export function decodeCursor(bytes: Uint8Array): Cursor {
  return readRecord('cursor', formatVersion, bytes, readCursor);
}

/** The `version` of an encoded cursor, without reading the rest. Throws `STORE_CORRUPT`. */
export function decodeCursorVersion(bytes: Uint8Array): number {
  const head = bytes.subarray(0, 9);
  return readRecord('cursor', formatVersion, head, (reader) => {
    const version = reader.varint();
    reader.skipRest();
    return version;
  });
}

function flagsOf(cursor: Cursor): number {
  let flags: number = presences.indexOf(cursor.presence);
  if (cursor.halted) flags |= haltedFlag;
  if (cursor.refused) flags |= refusedFlag;
  if (cursor.hasReceipt) flags |= receiptFlag;
  if (cursor.hasAnchor) flags |= anchorFlag;
  if (cursor.writer !== undefined) flags |= writerFlag;
  return flags;
}

function readCursor(reader: ByteReader): Cursor {
  const version = reader.varint();
  const flags = reader.byte();
  const presence = presences[flags & presenceMask];
  if (presence === undefined || flags > 0x7f) throw new RangeError(`flags ${flags}`);
  return {
    presence,
    epoch: reader.varint() as Epoch,
    first: reader.varint() as Sequence,
    last: reader.varint() as Sequence,
    writer: (flags & writerFlag) === 0 ? undefined : (reader.text() as Writer),
    recent: readRecent(reader),
    entries: reader.varint(),
    generation: reader.varint(),
    compactionBase: reader.varint(),
    parkedCommands: reader.varint(),
    parkedBytes: reader.varint(),
    filed: reader.varint(),
    earlier: reader.list(() => readReign(reader)),
    skipped: reader.list(() => ({ from: reader.varint() as Sequence, to: reader.varint() as Sequence })),
    halted: (flags & haltedFlag) !== 0,
    refused: (flags & refusedFlag) !== 0,
    hasReceipt: (flags & receiptFlag) !== 0,
    hasAnchor: (flags & anchorFlag) !== 0,
    version,
  };
}

function readRecent(reader: ByteReader): string {
  const recent = reader.binary();
  if (recent.length > mostRecentBytes || recent.length % shortDigestBytes !== 0) {
    throw new RangeError(`${recent.length} bytes of digests`);
  }
  return recent;
}

function writeReign(out: ByteWriter, reign: Reign): void {
  out.varint(reign.epoch);
  out.optional(reign.writer, (writer) => out.text(writer));
  out.varint(reign.first);
  out.varint(reign.last);
}

function readReign(reader: ByteReader): Reign {
  const epoch = reader.varint() as Epoch;
  const writer = reader.optional(() => reader.text() as Writer);
  return { epoch, writer, first: reader.varint() as Sequence, last: reader.varint() as Sequence };
}
