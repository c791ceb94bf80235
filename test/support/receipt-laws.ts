import { expect } from 'vitest';
import type { StoreHarness } from '../../src/conformance/index.ts';
import type { NumberedType } from '../../src/domain/command.ts';
import type { Epoch, Sequence, SessionId, Writer } from '../../src/domain/identifiers.ts';
import type { SourceId } from '../../src/domain/plan.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import { createMemoryQueue } from '../../src/queues/memory/memory-queue.ts';
import { SessionReader } from '../../src/read-side/session-reader.ts';

const ada = 'ada' as SessionId;
const none = new Uint8Array();

/** What a reader is to see of a session's receipt and anchor. */
type Seen = readonly [receipt: string | undefined, anchor: string | undefined];

const steps: readonly (readonly [NumberedType, Uint8Array, Seen])[] = [
  // Alone they make no session known: done, and without effect.
  ['macp.receipt.store.v1', Buffer.from('too early'), [undefined, undefined]],
  ['macp.anchor.store.v1', Buffer.from('too early'), [undefined, undefined]],
  ['macp.session.create.v1', none, [undefined, undefined]],
  ['macp.receipt.store.v1', Buffer.from([0, 255, 10, 123]), ['00ff0a7b', undefined]],
  ['macp.receipt.store.v1', Buffer.from('another'), ['00ff0a7b', undefined]],
  ['macp.anchor.store.v1', Buffer.from('1'), ['00ff0a7b', '31']],
  ['macp.anchor.store.v1', none, ['00ff0a7b', '']],
  ['macp.anchor.store.v1', Buffer.from([200]), ['00ff0a7b', 'c8']],
  ['macp.log.replace.v1', Buffer.from('[]'), ['00ff0a7b', 'c8']],
  ['macp.session.delete.v1', none, [undefined, undefined]],
  ['macp.receipt.store.v1', Buffer.from('too late'), [undefined, undefined]],
  ['macp.session.create.v1', none, [undefined, undefined]],
  ['macp.receipt.store.v1', none, ['', undefined]],
  ['macp.receipt.store.v1', Buffer.from('x'), ['', undefined]],
];

/** Receipts and anchors as commands bring them and readers see them: the first receipt stays, an anchor is replaced. */
export async function checkReceipts(harness: StoreHarness): Promise<void> {
  // One batch a command, and all commands together: what is folded into one commit must end the same.
  for (const deliveries of [1, 100]) {
    const subject = await harness.create();
    try {
      const { store } = subject;
      const queue = createMemoryQueue({ source: 'memory:receipts' as SourceId, clock: systemClock });
      const reader = new SessionReader(store);
      const work = async (): Promise<void> => {
        const limits = { deliveries, bytes: 1 << 20 };
        await using pipeline = new Pipeline({
          queue,
          store,
          clock: systemClock,
          limits,
          cachedSessions: 10,
          backoff: { initial: 1, maximum: 1 },
        });
        await pipeline.runUntilCaughtUp();
      };
      for (const [index, [type, data, seen]] of steps.entries()) {
        const sequence = (index + 1) as Sequence;
        const id = `ada/1/${sequence}`;
        const numbered = { kind: 'numbered', session: ada, writer: '//w' as Writer, epoch: 1 as Epoch } as const;
        await queue.publish([{ ...numbered, type, data, sequence, id }]);
        if (deliveries > 1 && index < steps.length - 1) continue;
        await work();
        expect([index, await hex(reader.receipt(ada)), await hex(reader.anchor(ada))]).toEqual([index, ...seen]);
      }
      const [cursor] = await store.readCursors([ada]);
      expect(cursor).toMatchObject({ last: steps.length, hasReceipt: true, hasAnchor: false, halted: false });
    } finally {
      await subject.dispose();
    }
  }
}

async function hex(reading: Promise<Uint8Array | undefined>): Promise<string | undefined> {
  const bytes = await reading;
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('hex');
}
