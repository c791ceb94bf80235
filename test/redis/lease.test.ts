import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { LeaseOffice } from '../../src/ports/lease.ts';
import { storeUse } from '../../src/redis/failures.ts';
import { openRedisLease } from '../../src/redis/lease.ts';
import { useOneRedis } from '../support/one-redis.ts';
import { uniquePrefix } from '../support/redis.ts';
import { serverAt } from '../support/redis-harness.ts';

const redis = useOneRedis();
const lasts = 400;
const never = new AbortController().signal;

interface Told {
  waits: number;
  losses: number;
}

async function officeFor(key: string, told: Told = { waits: 0, losses: 0 }): Promise<LeaseOffice> {
  const connection = { address: serverAt(redis.server.port), use: storeUse, answerTimeoutMs: 2_000 };
  const onLost = (): void => {
    told.losses += 1;
  };
  return openRedisLease({ connection, clock: systemClock, key, holder: randomUUID(), lasts, onLost });
}

/** Whether a promise is settled within the time that several leases last. */
async function isHeldUp(promise: Promise<unknown>): Promise<boolean> {
  return await Promise.race([promise.then(() => false), wait(lasts * 3).then(() => true)]);
}

test('whoever waits gets a lease once its holder lets it go, and not before, however long that takes', async () => {
  const key = uniquePrefix();
  const told = { waits: 0, losses: 0 };
  await using first = await officeFor(key, told);
  await using second = await officeFor(key);
  const lease = await first.takeWhenFree(never, () => undefined);
  const waiting = second.takeWhenFree(never, () => {
    told.waits += 1;
  });
  expect(await isHeldUp(waiting)).toBe(true);
  await Promise.all([lease.release(), lease.release()]);
  await using _next = await waiting;
  expect(told).toEqual({ waits: 1, losses: 0 });
});

test('a holder that is gone without a word is waited for no longer than its lease lasts', async () => {
  const key = uniquePrefix();
  const first = await officeFor(key);
  await first.take();
  await first.close();
  await using second = await officeFor(key);
  await using _lease = await second.takeWhenFree(never, () => undefined);
});

test('who takes a lease from its holder keeps it, and the holder is told once', async () => {
  const key = uniquePrefix();
  const told = { waits: 0, losses: 0 };
  await using first = await officeFor(key, told);
  await using second = await officeFor(key);
  const lost = await first.take();
  await using _taken = await second.take();
  await expect.poll(() => told.losses).toBe(1);
  await lost.release();
  await using third = await officeFor(key);
  expect(await isHeldUp(third.takeWhenFree(never, () => undefined))).toBe(true);
  expect(told.losses).toBe(1);
});

test('waiting can be given up', async () => {
  const key = uniquePrefix();
  await using first = await officeFor(key);
  await using _lease = await first.take();
  await using second = await officeFor(key);
  const giveUp = new AbortController();
  const waiting = second.takeWhenFree(giveUp.signal, () => giveUp.abort());
  await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
});
