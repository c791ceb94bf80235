import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { bytesDigest } from '../../../src/domain/digest.ts';
import { PersistenceError } from '../../../src/domain/errors.ts';
import type { SessionId } from '../../../src/domain/identifiers.ts';
import type { DeadLetter, SourceId } from '../../../src/domain/plan.ts';
import type { QueuedDelivery } from '../../../src/ports/queue.ts';
import type { Store } from '../../../src/ports/store.ts';
import { createMemoryStore } from '../../../src/stores/memory/memory-store.ts';
import { append, claim, create, entryText, numbered, save } from '../../support/commands.ts';
import { createHeldStore } from '../../support/held-store.ts';
import { pipelineOf } from '../../support/pipelines.ts';
import { deliveryOf, rawDelivery, ScriptedQueue } from '../../support/scripted-queue.ts';

const session = 'a-session-of-the-tests-1' as SessionId;

function unreadable(queue: ScriptedQueue): QueuedDelivery {
  const message = { key: undefined, headers: [], value: Buffer.from('nothing') };
  const refusal = { code: 'INVALID_EVENT', message: 'nothing that can be read' } as const;
  const content = { kind: 'unreadable', refusal, digest: bytesDigest(message.value), session: undefined } as const;
  return rawDelivery(content, message, queue.nextPosition());
}

async function logOf(store: Store): Promise<readonly string[]> {
  await using view = await store.openSession(session);
  const texts: string[] = [];
  for await (const page of view?.log() ?? []) for (const entry of page) texts.push(Buffer.from(entry).toString());
  return texts;
}

describe('a pipeline', () => {
  it('decides the next batch while a commit is being written, and never writes two at once', async () => {
    const queue = new ScriptedQueue();
    const held = createHeldStore();
    const pipeline = pipelineOf(queue, held.store);
    held.hold();
    for (let sequence = 1; sequence <= 4; sequence += 1) queue.add(append(sequence, `m${sequence}`));
    const running = pipeline.runUntilCaughtUp();
    await held.handed(1);
    while (queue.taken < 2) await new Promise(setImmediate);
    expect(held.plans.length).toBe(1);
    held.release();
    const summary = await running;
    expect(summary).toMatchObject({ deliveries: 4, commits: 4, tally: { applied: 4, duplicates: 0 } });
    expect(held.mostAtOnce()).toBe(1);
    expect(await logOf(held.store)).toEqual(['m1', 'm2', 'm3', 'm4'].map(entryText));
    expect(pipeline.state).toBe('stopped');
  });

  it('persists what is held when it starts catching up, then ends by itself', async () => {
    const queue = new ScriptedQueue();
    const held = createHeldStore();
    expect((await pipelineOf(queue, held.store).runUntilCaughtUp()).commits).toBe(0);
    queue.add(create(1), append(2, 'm1'));
    expect((await pipelineOf(queue, held.store).runUntilCaughtUp()).deliveries).toBe(2);
    expect((await held.store.readPositions(queue.source)).get(0)?.next).toBe(2);
  });

  it('writes only the last of several snapshots of a session in one commit', async () => {
    const queue = new ScriptedQueue();
    const held = createHeldStore();
    queue.add(save(1, 'first'), save(2, 'second'), save(3, 'third'));
    await pipelineOf(queue, held.store).runUntilCaughtUp();
    expect(held.plans.length).toBe(1);
    expect(held.plans[0]?.changes.map(({ snapshot }) => String(snapshot))).toEqual([expect.stringContaining('third')]);
  });

  it('persists a long batch in one commit, with parked commands that its end makes due', async () => {
    const queue = new ScriptedQueue();
    const held = createHeldStore();
    const limits = { deliveries: 5_000, bytes: 10_000_000 };
    const due = 2_000;
    queue.add(append(due, 'the parked one'), append(due + 1, 'the one behind it'));
    await pipelineOf(queue, held.store).runUntilCaughtUp();
    const before = Array.from({ length: due - 1 }, (_, index) => append(index + 1, `m${index + 1}`));
    queue.add(...before);
    const summary = await pipelineOf(queue, held.store, { limits }).runUntilCaughtUp();
    expect(summary).toMatchObject({ deliveries: due - 1, commits: 1, tally: { applied: due + 1, drained: 2 } });
    expect((await logOf(held.store)).slice(-3)).toEqual(
      [`m${due - 1}`, 'the parked one', 'the one behind it'].map(entryText),
    );
  });

  it('waits for a store that is down, takes nothing meanwhile, and goes on in order', async () => {
    const queue = new ScriptedQueue();
    const held = createHeldStore();
    const pipeline = pipelineOf(queue, held.store);
    const states: string[] = [];
    pipeline.on('state', (_, to) => states.push(to));
    held.failNext(...[1, 2, 3].map(() => new PersistenceError('STORE_UNAVAILABLE', 'down')));
    queue.add(append(1, 'm1'));
    queue.add(append(2, 'm2'));
    queue.add(append(3, 'm3'));
    let takenBeforeRecovery = 0;
    pipeline.once('recovered', () => {
      takenBeforeRecovery = queue.taken;
    });
    await pipeline.runUntilCaughtUp();
    expect(takenBeforeRecovery).toBeLessThanOrEqual(2);
    expect(states).toEqual(['running', 'waiting', 'running', 'stopped']);
    expect(await logOf(held.store)).toEqual(['m1', 'm2', 'm3'].map(entryText));
  });

  it('acknowledges only what is durable, up to the position that was committed', async () => {
    const queue = new ScriptedQueue();
    const held = createHeldStore();
    const pipeline = pipelineOf(queue, held.store);
    held.hold();
    queue.add(append(1, 'm1'), append(2, 'm2'));
    const running = pipeline.runUntilCaughtUp();
    await held.handed(1);
    expect(queue.acknowledged).toEqual([]);
    held.release();
    await running;
    expect(queue.acknowledged.map((positions) => positions.get(0)?.next)).toEqual([2]);
  });

  it('gives a commit that waits for its store up whole when it is stopped', async () => {
    const queue = new ScriptedQueue();
    const held = createHeldStore();
    const pipeline = pipelineOf(queue, held.store, { backoff: { initial: 60_000, maximum: 60_000 } });
    held.failNext(new PersistenceError('DISK_FULL', 'full'));
    queue.add(append(1, 'm1'));
    const running = pipeline.run();
    await once(pipeline, 'retrying');
    await pipeline.stop();
    expect((await running).commits).toBe(0);
    expect(pipeline.state).toBe('stopped');
    expect(queue.acknowledged).toEqual([]);
    expect(await held.store.readCursors([session])).toEqual([undefined]);
  });

  it('that is stopped while it asks how much there is to catch up with has done nothing, and fails at nothing', async () => {
    const queue = new ScriptedQueue();
    queue.add(append(1, 'm1'));
    const pipeline = pipelineOf(queue, createMemoryStore());
    const running = pipeline.runUntilCaughtUp();
    await pipeline.stop();
    expect((await running).commits).toBe(0);
    expect(queue.taken).toBe(0);
  });

  it('is stopped while its queue has it wait for a consumer, and waits no longer', async () => {
    const queue = new ScriptedQueue();
    let isWaiting = false;
    queue.consume = (_, signal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(new PersistenceError('ABORTED', 'given up')));
        isWaiting = true;
      });
    const pipeline = pipelineOf(queue, createMemoryStore());
    const running = pipeline.run();
    while (!isWaiting) await new Promise(setImmediate);
    await pipeline.stop();
    expect((await running).commits).toBe(0);
    expect(pipeline.state).toBe('stopped');
  });

  it('finishes the commit under way when it is stopped, and takes nothing more', async () => {
    const queue = new ScriptedQueue();
    const held = createHeldStore();
    const pipeline = pipelineOf(queue, held.store);
    held.hold();
    queue.add(append(1, 'm1'));
    const running = pipeline.run();
    await held.handed(1);
    const stopped = pipeline.stop();
    queue.add(append(2, 'm2'));
    held.release();
    await stopped;
    expect((await running).deliveries).toBe(1);
    expect(queue.taken).toBe(1);
  });

  it('ends with the error that no retry mends, even while it waits for deliveries', async () => {
    const queue = new ScriptedQueue();
    const held = createHeldStore();
    const pipeline = pipelineOf(queue, held.store);
    held.failNext(new PersistenceError('STORE_IO_FAILED', 'fsync failed'));
    queue.add(append(1, 'm1'));
    await expect(pipeline.run()).rejects.toMatchObject({ code: 'STORE_IO_FAILED' });
    expect(pipeline.state).toBe('failed');
    expect(queue.acknowledged).toEqual([]);
  });

  it('decides a batch again when a session had changed meanwhile', async () => {
    const queue = new ScriptedQueue();
    const held = createHeldStore();
    queue.add(append(1, 'm1'));
    queue.add(append(2, 'm2'));
    held.failNext(new PersistenceError('CURSOR_MISMATCH', 'changed'));
    const summary = await pipelineOf(queue, held.store).runUntilCaughtUp();
    expect(summary).toMatchObject({ deliveries: 2, tally: { applied: 2 } });
    expect(await logOf(held.store)).toEqual(['m1', 'm2'].map(entryText));
  });

  it('knows a dead letter that is still on its way to the store', async () => {
    const queue = new ScriptedQueue();
    const held = createHeldStore();
    const bad = append(2, 'late', { epoch: 9, writer: '//test/zombie' });
    held.hold();
    queue.add(create(1), bad);
    queue.add(bad);
    const running = pipelineOf(queue, held.store).runUntilCaughtUp();
    await held.handed(1);
    held.release();
    const { tally } = await running;
    expect(tally).toMatchObject({ duplicates: 1, deadLetters: { unclaimed: 1 } });
    expect(await held.store.readFiled(session, { limit: 10 })).toHaveLength(1);
  });

  it('drains commands that were parked by the commit still under way', async () => {
    const queue = new ScriptedQueue();
    const held = createHeldStore();
    held.hold();
    queue.add(create(1), append(3, 'm3'), append(4, 'm4'));
    queue.add(append(2, 'm2'));
    const running = pipelineOf(queue, held.store).runUntilCaughtUp();
    await held.handed(1);
    held.release();
    const { tally } = await running;
    expect(tally).toMatchObject({ applied: 4, parked: 2, drained: 2 });
    expect(await logOf(held.store)).toEqual(['m2', 'm3', 'm4'].map(entryText));
    expect(await held.store.readParkedHeaders(session)).toEqual([]);
  });

  it('fences what is parked, stored or just arrived, when another writer claims the session', async () => {
    const queue = new ScriptedQueue();
    const held = createHeldStore();
    queue.add(create(1), append(3, 'm3'));
    queue.add(append(5, 'm5'), claim(2, '//test/two'), append(2, 'n2', { epoch: 2, writer: '//test/two' }));
    const { tally } = await pipelineOf(queue, held.store).runUntilCaughtUp();
    expect(tally).toMatchObject({ claimed: 1, deadLetters: { fenced: 2 } });
    expect(await logOf(held.store)).toEqual([entryText('n2')]);
  });

  it('goes on with other sessions around a message that cannot be read', async () => {
    const queue = new ScriptedQueue();
    const held = createHeldStore();
    const message = { key: undefined, headers: [], value: Buffer.from('what is this') };
    const refusal = { code: 'MISSING_ATTRIBUTE', message: 'ce_type is missing' } as const;
    const digest = 'd'.repeat(32) as never;
    const unreadable = { kind: 'unreadable', refusal, digest, session: undefined } as const;
    queue.add(create(1));
    queue.addDeliveries([rawDelivery(unreadable, message, queue.nextPosition())]);
    queue.addDeliveries([rawDelivery(unreadable, message, queue.nextPosition())]);
    queue.add(append(2, 'm2'));
    const { tally } = await pipelineOf(queue, held.store).runUntilCaughtUp();
    expect(tally).toMatchObject({ applied: 2, duplicates: 1, deadLetters: { refused: 1 } });
    expect(await held.store.readFiled(undefined, { limit: 10 })).toHaveLength(1);
  });

  it('reports a dead letter after the commit that holds it', async () => {
    const queue = new ScriptedQueue();
    const held = createHeldStore();
    const pipeline = pipelineOf(queue, held.store);
    const seen: string[] = [];
    pipeline.on('committed', () => seen.push('committed'));
    pipeline.on('deadLetter', ({ reason }) => seen.push(reason));
    queue.add(numbered('macp.log.append.v1', 1, '{"not":"an entry"}'));
    await pipeline.runUntilCaughtUp();
    expect(seen).toEqual(['committed', 'refused']);
  });

  it('lets a partition go only when every batch taken from it is committed', async () => {
    const queue = new ScriptedQueue();
    const held = createHeldStore();
    const pipeline = pipelineOf(queue, held.store);
    held.hold();
    queue.add(append(1, 'm1'));
    queue.add(append(2, 'm2'));
    const running = pipeline.run();
    await held.handed(1);
    let released = false;
    const revoked = queue.revoke().then(() => {
      released = true;
    });
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    expect(released).toBe(false);
    held.release();
    await revoked;
    expect(queue.acknowledged.map((positions) => positions.get(0)?.next)).toEqual([1, 2]);
    await pipeline.stop();
    await running;
  });

  it('refuses a queue that took the place of the one its store was filled from, unless it is told to accept it', async () => {
    const first = new ScriptedQueue('embedded:one');
    const held = createHeldStore();
    first.add(create(1));
    await pipelineOf(first, held.store).runUntilCaughtUp();
    const second = new ScriptedQueue('embedded:two');
    second.add(append(2, 'm2'));
    await expect(pipelineOf(second, held.store).runUntilCaughtUp()).rejects.toMatchObject({
      code: 'SOURCE_LOST_HISTORY',
      message: expect.stringContaining('embedded:one'),
    });
    expect(held.plans.length).toBe(1);
    const otherKind = new ScriptedQueue('kafka:three');
    otherKind.add(append(2, 'm2'));
    expect((await pipelineOf(otherKind, held.store).runUntilCaughtUp()).tally.applied).toBe(1);
    const { tally } = await pipelineOf(second, held.store, { acceptsNewQueue: true }).runUntilCaughtUp();
    expect(tally.duplicates).toBe(1);
  });

  it('refuses to begin in the middle of a partition that its store has never consumed', async () => {
    const queue = new ScriptedQueue();
    const { store } = createHeldStore();
    queue.start = 5;
    await expect(pipelineOf(queue, store).runUntilCaughtUp()).rejects.toMatchObject({ code: 'SOURCE_LOST_HISTORY' });
    expect((await pipelineOf(queue, store, { acceptsNewQueue: true }).runUntilCaughtUp()).commits).toBe(0);
  });

  it('runs only once, and closing it twice is fine', async () => {
    const queue = new ScriptedQueue();
    const pipeline = pipelineOf(queue, createHeldStore().store);
    await pipeline.runUntilCaughtUp();
    await expect(async () => pipeline.run()).rejects.toThrow(TypeError);
    await pipeline.close();
    await pipeline.close();
    expect(pipeline.state).toBe('stopped');
  });

  it('moves the position past stretches that hold nothing, and gives them to nobody', async () => {
    const queue = new ScriptedQueue();
    const held = createHeldStore();
    const passed = () => ({ ...unreadable(queue), isPassed: true });
    queue.add(append(1, 'm1'));
    queue.addDeliveries([passed()]);
    queue.addDeliveries([passed(), deliveryOf(append(2, 'm2'), queue.nextPosition()), passed()]);
    const summary = await pipelineOf(queue, held.store).runUntilCaughtUp();
    expect(summary.tally).toMatchObject({ applied: 2, deadLetters: { refused: 0 } });
    expect((await held.store.readPositions(queue.source)).get(0)?.next).toBe(5);
    expect(await logOf(held.store)).toEqual(['m1', 'm2'].map(entryText));
  });

  it('goes on from the stored positions when another worker of a shared store was faster', async () => {
    const store = Object.assign(createMemoryStore(), {
      capabilities: { ...createMemoryStore().capabilities, shared: true },
    });
    // Two workers that both believe that the partition is theirs.
    const [queue, twin] = [new ScriptedQueue(), new ScriptedQueue()];
    const slow = pipelineOf(queue, store);
    queue.add(append(1, 'm1'));
    const working = slow.run();
    await once(slow, 'committed');
    twin.add(append(1, 'm1'), append(2, 'm2'));
    await pipelineOf(twin, store).runUntilCaughtUp();
    queue.add(append(2, 'm2'));
    await once(slow, 'interrupted');
    queue.add(append(3, 'm3'));
    await once(slow, 'committed');
    await slow.stop();
    expect((await working).tally).toMatchObject({ applied: 2, duplicates: 0 });
    expect(await logOf(store)).toEqual(['m1', 'm2', 'm3'].map(entryText));
  });

  it('copies dead letters before the commit that holds them, again and again until that succeeds', async () => {
    const copied: string[] = [];
    let failures = 2;
    const held = createHeldStore();
    const queue = new ScriptedQueue();
    const deadLetterCopies = {
      async copy(letters: readonly DeadLetter[]) {
        expect(held.plans.length).toBe(0);
        failures -= 1;
        if (failures >= 0) throw new PersistenceError('QUEUE_UNAVAILABLE', 'away');
        copied.push(...letters.map(({ reason }) => reason));
      },
    };
    queue.addDeliveries([unreadable(queue)]);
    await pipelineOf(Object.assign(queue, { deadLetterCopies }), held.store).runUntilCaughtUp();
    expect(copied).toEqual(['refused']);
    expect(held.plans[0]?.unreadable.length).toBe(1);
  });

  it('goes on with a queue that was filled from the one it knows, if that holds all that its store lacks', async () => {
    const store = createMemoryStore();
    const old = new ScriptedQueue('scripted:old');
    old.add(append(1, 'm1'), append(2, 'm2'));
    await pipelineOf(old, store).runUntilCaughtUp();
    const copyFrom = (from: number) =>
      Object.assign(new ScriptedQueue('scripted:new'), {
        continues: { source: old.source, from: new Map([[0, from]]) },
      });
    await expect(pipelineOf(copyFrom(3), store).runUntilCaughtUp()).rejects.toMatchObject({
      code: 'SOURCE_LOST_HISTORY',
    });
    await expect(pipelineOf(new ScriptedQueue('scripted:new'), store).runUntilCaughtUp()).rejects.toMatchObject({
      code: 'SOURCE_LOST_HISTORY',
    });
    const copy = copyFrom(1);
    copy.add(append(2, 'm2'), append(3, 'm3'));
    expect((await pipelineOf(copy, store).runUntilCaughtUp()).tally).toMatchObject({ applied: 1, duplicates: 1 });
  });

  it('does not begin an empty store in the middle: with a queue that goes on from another one', async () => {
    const goingOnFrom = (offset: number) =>
      Object.assign(new ScriptedQueue('scripted:new'), {
        continues: { source: 'scripted:old' as SourceId, from: new Map([[0, offset]]) },
      });
    const store = createMemoryStore();
    const middle = goingOnFrom(2);
    middle.add(append(1, 'm1'));
    await expect(pipelineOf(middle, store).runUntilCaughtUp()).rejects.toMatchObject({ code: 'SOURCE_LOST_HISTORY' });
    expect(await store.readSources()).toEqual([]);
    const whole = goingOnFrom(0);
    whole.add(append(1, 'm1'));
    expect((await pipelineOf(whole, store).runUntilCaughtUp()).tally).toMatchObject({ applied: 1 });
  });
});
