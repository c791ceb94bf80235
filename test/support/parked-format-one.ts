import { ByteWriter } from '../../src/domain/encoding/byte-writer.ts';
import { writePosition } from '../../src/domain/encoding/position.ts';
import type { ParkedCommand, ParkedHeader } from '../../src/domain/plan.ts';

type HeaderOfFormatOne = Omit<ParkedHeader, 'refusal'>;

/** A parked header as a store of layout 1 or 2 holds it. */
export function parkedHeaderOfFormatOne(header: HeaderOfFormatOne): Uint8Array {
  return begun(header).finish();
}

/** A parked command as a store of layout 1 or 2 holds it. */
export function parkedCommandOfFormatOne(command: Omit<ParkedCommand, 'refusal'>): Uint8Array {
  const out = begun(command);
  writePosition(out, command.position);
  out.bytes(command.message);
  return out.finish();
}

function begun({ sequence, epoch, writer, digest, bytes }: HeaderOfFormatOne): ByteWriter {
  const out = new ByteWriter(128);
  out.byte(1);
  out.varint(sequence);
  out.varint(epoch);
  out.text(writer);
  out.binary(digest);
  out.varint(bytes);
  return out;
}
