import type { Content } from '../delivery.ts';
import { bytesDigest, digestHex } from '../digest.ts';
import type { FiledId } from '../plan.ts';

const idCharacters = 32;

/**
 * What a delivery is filed under as a dead letter or decision: derived from its content alone, so that a redelivery
 * and a replay find it again. A numbered command is known by session, epoch, writer, sequence and digest, an
 * operator's decision by its event id, an unreadable message by its bytes.
 */
export function filedId(content: Content): FiledId {
  return digestHex(bytesDigest(Buffer.from(JSON.stringify(identity(content)), 'utf8'))).slice(
    0,
    idCharacters,
  ) as FiledId;
}

function identity(content: Content): readonly (string | number)[] {
  switch (content.kind) {
    case 'numbered':
      return ['numbered', content.session, content.epoch, content.writer, content.sequence, digestHex(content.digest)];
    case 'claim':
      return ['claim', content.session, content.epoch, content.writer];
    case 'skip':
      return ['skip', content.session, content.id];
    case 'unreadable':
      return ['unreadable', content.session ?? '', digestHex(content.digest)];
  }
}
