import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readContents, type StoreContents } from '../../src/conformance/store-contents.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import type { Message, MessageHeader } from '../../src/domain/message.ts';
import { decodeBinary, encodeBinary } from '../../src/domain/wire/binary.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Store } from '../../src/ports/store.ts';
import { openLevelStore } from '../../src/stores/level/level-store.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { append, create, entryText } from '../support/commands.ts';
import { rawDelivery, ScriptedQueue } from '../support/scripted-queue.ts';

const session = 'a-session-of-the-tests-1' as SessionId;
const right = encodeBinary(append(3, 'm3'));
/** What producers that skip the check before publishing send: the data is right, and something beside it is not. */
const faulty: Readonly<Record<string, Message>> = {
  'a time that is none': withHeader('ce_time', 'noon'),
  'another content type': withHeader('content-type', 'text/plain'),
  'another id': withHeader('ce_id', 'number-3'),
  'no key': { ...right, key: undefined },
};

function withHeader(name: string, value: string): Message {
  const header: MessageHeader = [name, Buffer.from(value)];
  return { ...right, headers: [...right.headers.filter(([other]) => other !== name), header] };
}

/** Uses one store; each time it may be opened anew. */
type UseStore = <Value>(use: (store: Store) => Promise<Value>) => Promise<Value>;

function memory(): UseStore {
  const store = createMemoryStore();
  return (use) => use(store);
}

function level(directory: string): UseStore {
  return async (use) => {
    await using store = await openLevelStore({
      directory,
      files: nodeFileSystem,
      clock: systemClock,
      newId: randomUUID,
    });
    return await use(store);
  };
}

/** What is in the store after one pipeline after another took its batches. */
async function contentsAfter(
  pipelines: readonly (readonly (readonly Message[])[])[],
  useStore: UseStore,
): Promise<StoreContents> {
  const queue = new ScriptedQueue();
  const limits = { deliveries: 10, bytes: 1_000_000 };
  const backoff = { initial: 1, maximum: 1 };
  for (const batches of pipelines) {
    for (const batch of batches) {
      queue.addDeliveries(batch.map((message) => rawDelivery(decodeBinary(message), message, queue.nextPosition())));
    }
    await useStore((store) =>
      new Pipeline({ queue, store, clock: systemClock, limits, cachedSessions: 10, backoff }).runUntilCaughtUp(),
    );
  }
  return await useStore((store) => readContents(store));
}

/** The messages in batches, cut in every possible way. */
function everyBatching([first, ...rest]: readonly Message[]): readonly (readonly (readonly Message[])[])[] {
  const start = first === undefined ? [] : [[[first]]];
  return rest.reduce<readonly (readonly (readonly Message[])[])[]>(
    (batchings, message) =>
      batchings.flatMap((batches) => [
        [...batches, [message]],
        [...batches.slice(0, -1), [...(batches.at(-1) ?? []), message]],
      ]),
    start,
  );
}

/**
 * A command that was refused for an attribute waited where it came too early, and its correction, with the same data
 * and so the same digest, was taken for a redelivery of it: the number was refused at its turn and stayed open until
 * the correction was sent once more.
 */
describe.each(Object.entries(faulty))('a command with %s that comes too early', (_, wrong) => {
  const messages = [encodeBinary(create(1)), wrong, wrong, right, wrong, right, encodeBinary(append(2, 'm2'))];

  it('is corrected by the same data before its turn, wherever batches end', async () => {
    const whole = await contentsAfter([[messages]], memory());
    expect(whole.cursors).toMatchObject([[session, { last: 3, refused: false, halted: false, parkedCommands: 0 }]]);
    const log = whole.views[session]?.log.map((entry) => Buffer.from(entry, 'base64').toString());
    expect(log).toEqual(['m2', 'm3'].map(entryText));
    expect(whole.filed).toMatchObject([{ reason: 'refused', sequence: 3, position: { offset: 1 } }]);
    for (const batches of everyBatching(messages)) {
      expect(await contentsAfter([batches], memory())).toEqual(whole);
    }
  });

  it('is corrected also by a worker that has to learn from the store what waits', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'early-correction-'));
    try {
      const whole = await contentsAfter([[messages]], memory());
      const oneByOne = messages.map((message) => [[message]]);
      expect(await contentsAfter(oneByOne, memory())).toEqual(whole);
      expect(await contentsAfter(oneByOne, level(directory))).toEqual(whole);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
