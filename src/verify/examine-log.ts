import type { Cursor } from '../domain/cursor.ts';
import { bytesDigest, type Digest } from '../domain/digest.ts';
import { checkData } from '../domain/documents/check-data.ts';
import type { SourceSession } from '../ports/copy-source.ts';
import { isDamage } from './damage.ts';
import type { SessionFinding } from './finding.ts';

/** Of how many of the latest entries is known whether they come a second time: at about 100 bytes each. */
const remembered = 50_000;

/** What is wrong with a session's log, and with what its cursor says of it. */
export async function* examineLog(read: SourceSession, cursor: Cursor): AsyncGenerator<SessionFinding> {
  const seen = new RecentEntries();
  let ordinal = 0;
  let compactionBase = 0;
  try {
    for await (const page of read.log()) {
      for (const entry of page) {
        const { facts, refusal } = checkData('macp.log.append.v1', read.session, entry);
        if (refusal !== undefined) yield { kind: 'damaged', part: 'entry', item: ordinal, detail: refusal.message };
        compactionBase = Math.max(compactionBase, facts.compactionBase);
        const earlier = seen.note(entry, ordinal);
        if (earlier !== undefined && isMessage(entry)) {
          yield { kind: 'double', part: 'entry', item: ordinal, detail: `says the very same as entry ${earlier}` };
        }
        ordinal += 1;
      }
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
    yield { kind: 'hole', part: 'entry', item: ordinal, detail: error.message };
    return;
  }
  if (ordinal !== cursor.entries) {
    yield miscounted('entries', `${cursor.entries} are counted, and ${ordinal} are there`);
  }
  if (compactionBase !== cursor.compactionBase) {
    yield miscounted(
      'compactionBase',
      `it is ${cursor.compactionBase}, and the log's checkpoints tell ${compactionBase}`,
    );
  }
}

function miscounted(item: keyof Cursor, detail: string): SessionFinding {
  return { kind: 'miscounted', part: 'cursor', item, detail };
}

/** True for an accepted message, which macp-runtime accepts once. */
function isMessage(entry: Uint8Array): boolean {
  try {
    const { entry_kind: kind, message_id: id } = JSON.parse(Buffer.from(entry).toString('utf8'));
    return kind === 'Incoming' && id !== '';
  } catch {
    // No JSON: that is told already.
    return false;
  }
}

/** The latest entries by what they say; two generations, so that the oldest ones go. */
class RecentEntries {
  #young = new Map<Digest, number>();
  #old = new Map<Digest, number>();

  /** The ordinal of an earlier entry of the very same bytes. */
  note(entry: Uint8Array, ordinal: number): number | undefined {
    const digest = bytesDigest(entry);
    const earlier = this.#young.get(digest) ?? this.#old.get(digest);
    this.#young.set(digest, ordinal);
    if (this.#young.size >= remembered / 2) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    return earlier;
  }
}
