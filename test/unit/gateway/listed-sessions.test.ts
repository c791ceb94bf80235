import { expect, test } from 'vitest';
import { PersistenceError } from '../../../src/domain/errors.ts';
import type { SessionId } from '../../../src/domain/identifiers.ts';
import type { Store } from '../../../src/ports/store.ts';
import { createMemoryStore } from '../../../src/stores/memory/memory-store.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { GatewaySystem } from '../../support/gateway-system.ts';
import { turns } from '../../support/turns.ts';
import { WorkingSystem } from '../../support/working-system.ts';

/** A memory store that lists its sessions when it is told to. */
class SlowToList {
  readonly store: Store;
  begun = 0;
  /** What the next list fails of. */
  failure: Error | undefined;
  #release: () => void = () => undefined;
  #released: Promise<void> = Promise.resolve();

  constructor() {
    const memory = createMemoryStore();
    const listSessions: Store['listSessions'] = async (page) => {
      this.begun += 1;
      await this.#released;
      const { failure } = this;
      this.failure = undefined;
      if (failure !== undefined) throw failure;
      return memory.listSessions(page);
    };
    this.store = new Proxy(memory, {
      get(target, property) {
        if (property === 'listSessions') return listSessions;
        const value = Reflect.get(target, property, target) as unknown;
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  hold(): void {
    this.#released = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  release(): void {
    this.#release();
  }
}

const list = ['SMEMBERS', 'macp:sessions'] as const;

test('a list that takes longer than a client waits is ready for whoever lists next', async () => {
  const slow = new SlowToList();
  const clock = new FakeClock();
  await using system = new WorkingSystem({ store: slow.store });
  await using gateway = new GatewaySystem({ system, clock }).work();
  await gateway.client().send('SADD', 'macp:sessions', 'one');
  await system.caughtUp();
  slow.hold();
  const late = gateway.client().send(...list);
  await clock.advance(400);
  expect(await late).toMatch(/^ERR there was no answer in time/);
  const lateAgain = gateway.client().send(...list);
  await clock.advance(400);
  expect(await lateAgain).toMatch(/^ERR there was no answer in time/);
  slow.release();
  await turns();
  expect(await gateway.client().send(...list)).toEqual(['one']);
  expect(slow.begun).toBe(1);
});

test('what was written meanwhile, here or elsewhere, is in the next list', async () => {
  const slow = new SlowToList();
  await using system = new WorkingSystem({ store: slow.store });
  await using gateway = new GatewaySystem({ system }).work();
  const client = gateway.client();
  expect(await client.send(...list)).toEqual([]);
  await client.send('SADD', 'macp:sessions', 'one');
  expect(await client.send(...list)).toEqual(['one']);
  await gateway.client().send('SADD', 'macp:sessions', 'two');
  const newer = gateway.client();
  expect(await newer.send(...list)).toEqual(['one', 'two']);
  expect(await newer.send(...list)).toEqual(['one', 'two']);
  expect(slow.begun).toBe(4);
});

test('a list that failed is made anew', async () => {
  const slow = new SlowToList();
  await using system = new WorkingSystem({ store: slow.store });
  await using gateway = new GatewaySystem({ system }).work();
  slow.failure = new PersistenceError('STORE_UNAVAILABLE', 'down');
  expect(await gateway.client().send(...list)).toBe('ERR STORE_UNAVAILABLE: down');
  expect(await gateway.client().send(...list)).toEqual([]);
});

test('a list that may have come too late is ready for the next one, until a client goes on to read', async () => {
  const slow = new SlowToList();
  await using system = new WorkingSystem({ store: slow.store });
  await using gateway = new GatewaySystem({ system }).work();
  await gateway.client().send('SADD', 'macp:sessions', 'one');
  for (let times = 0; times < 3; times += 1) expect(await gateway.client().send(...list)).toEqual(['one']);
  expect(slow.begun).toBe(1);
  const reading = gateway.client();
  await reading.send(...list);
  expect(await reading.send('GET', 'macp:session:one')).toBe('(nil)');
  // It claims what it will write next.
  await expect.poll(async () => (await system.store.readCursors(['one' as SessionId]))[0]?.epoch).toBe(2);
  expect(await gateway.client().send(...list)).toEqual(['one']);
  expect(slow.begun).toBe(2);
});
