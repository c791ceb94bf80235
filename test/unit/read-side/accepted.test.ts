import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { initialCursor } from '../../../src/domain/cursor.ts';
import type { SessionId } from '../../../src/domain/identifiers.ts';
import type { SessionView } from '../../../src/ports/store.ts';
import { incomingAfter } from '../../../src/read-side/accepted.ts';

interface Entry {
  readonly entry_kind: 'Incoming' | 'Internal' | 'Checkpoint';
  readonly compacted_incoming_ordinals: number;
}

/** A view of a log with these entries, in pages of `pageSize`, with the base that the rule keeps in the cursor. */
function viewOf(entries: readonly Entry[], pageSize: number): SessionView {
  const log = entries.map((entry) => Buffer.from(JSON.stringify(entry)));
  const absent = async (): Promise<undefined> => undefined;
  return {
    session: 's' as SessionId,
    cursor: { ...initialCursor, compactionBase: baseOf(entries), entries: entries.length },
    snapshot: absent,
    receipt: absent,
    anchor: absent,
    async *log() {
      for (let start = 0; start < log.length; start += pageSize) yield log.slice(start, start + pageSize);
    },
    close: absent,
    [Symbol.asyncDispose]: absent,
  };
}

function baseOf(entries: readonly Entry[]): number {
  return Math.max(
    0,
    ...entries.map((entry) => (entry.entry_kind === 'Checkpoint' ? entry.compacted_incoming_ordinals : 0)),
  );
}

/** `get_incoming_after` of macp-storage 0.13.0, translated line by line. */
function upstream(entries: readonly Entry[], after: number): readonly number[] | { readonly below: number } {
  const base = baseOf(entries);
  if (after < base) return { below: base };
  let highWater = base;
  const out: number[] = [];
  for (const { entry_kind } of entries) {
    if (entry_kind !== 'Incoming') continue;
    highWater += 1;
    if (highWater > after) out.push(highWater);
  }
  return out;
}

async function ordinalsOf(view: SessionView, after: number): Promise<readonly number[]> {
  const ordinals: number[] = [];
  for await (const { ordinal } of incomingAfter(view, after)) ordinals.push(ordinal);
  return ordinals;
}

const entries = fc.array(
  fc.record<Entry>({
    entry_kind: fc.constantFrom('Incoming', 'Internal', 'Checkpoint'),
    compacted_incoming_ordinals: fc.nat(6),
  }),
);

describe('accepted messages after an ordinal', () => {
  test('are those that upstream gives, for every log and ordinal', async () => {
    await fc.assert(
      fc.asyncProperty(entries, fc.nat(12), fc.integer({ min: 1, max: 4 }), async (log, after, pageSize) => {
        const expected = upstream(log, after);
        const found = ordinalsOf(viewOf(log, pageSize), after);
        if ('below' in expected) await expect(found).rejects.toMatchObject({ code: 'BELOW_COMPACTION_BASE' });
        else expect(await found).toEqual(expected);
      }),
    );
  });
});
