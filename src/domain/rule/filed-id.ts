import type { Content } from '../delivery.ts';
import { bytesDigest, digestHex } from '../digest.ts';
import type { FiledId } from '../plan.ts';

const idCharacters = 32;

/**
 * What a delivery is filed under as a dead letter or decision: derived from its content alone, so that a redelivery
 * and a replay find it again. A numbered command is known by session, epoch, writer, sequence and digest, and by what
 * it was refused for: one that was wrong in an attribute only has the same digest once it is corrected. An operator's
 * decision is known by its event id, an unreadable message by its bytes.
 */
export function filedId(content: Content): FiledId {
  return digestHex(bytesDigest(Buffer.from(JSON.stringify(identity(content)), 'utf8'))).slice(
    0,
    idCharacters,
  ) as FiledId;
}

function identity(content: Content): readonly (string | number)[] {
  switch (content.kind) {
    case 'numbered': {
      const { session, epoch, writer, sequence, digest, refusal } = content;
      return ['numbered', session, epoch, writer, sequence, digestHex(digest), refusal?.code ?? 'valid'];
    }
    case 'claim':
      return ['claim', content.session, content.epoch, content.writer];
    case 'skip':
      return ['skip', content.session, content.id];
    case 'unreadable':
      return ['unreadable', content.session ?? '', digestHex(content.digest)];
  }
}
