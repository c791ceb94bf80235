import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { requestBytes } from '../../support/redis-requests.ts';
import { RawClient } from '../../support/redis-server/raw-client.ts';
import { type Served, startServed } from '../../support/redis-server/served.ts';

/** Long enough to tell a request that is dated when it is read from one that is dated when it came. */
const held = 300;

let served: Served;
let client: RawClient;

beforeEach(async () => {
  served = await startServed({ limits: { underWay: 4 } });
  client = await RawClient.connect(served.port);
});
afterEach(async () => {
  client[Symbol.dispose]();
  await served[Symbol.asyncDispose]();
});

function elapsed(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

async function stopped(during: () => Promise<void>): Promise<void> {
  served.child.kill('SIGSTOP');
  await during();
  await sleep(held);
  served.child.kill('SIGCONT');
}

/** Sends it, and resolves with the time by which it had arrived at the latest: what is sent on this machine is there. */
async function sent(to: RawClient, bytes: Uint8Array = requestBytes('STAMP')): Promise<number> {
  await to.write(bytes);
  return elapsed();
}

/** Bytes that have come to a port of this machine from another, and that nobody has read yet (Linux). */
function unreadBytes(port: number, from: number | undefined): number {
  const hexadecimal = (number = 0): string => number.toString(16).toUpperCase().padStart(4, '0');
  const line = new RegExp(`:${hexadecimal(port)} \\w+:${hexadecimal(from)} \\w+ \\w+:(\\w+)`);
  return Number.parseInt(line.exec(readFileSync('/proc/net/tcp', 'latin1'))?.[1] ?? '', 16);
}

describe('a request is never dated later than it arrived', () => {
  test('and not far back when nothing holds the server up', async () => {
    const before = elapsed();
    await sleep(2 * held);
    const latest = await sent(client);
    const arrived = Number(await client.answer());
    expect(arrived).toBeLessThanOrEqual(latest);
    // However slow the machine: that it was idle before does not count.
    expect(arrived).toBeGreaterThan(before);
  });

  test('when the process was stopped', async () => {
    let latest = 0;
    await stopped(async () => {
      latest = await sent(client);
    });
    expect(Number(await client.answer())).toBeLessThanOrEqual(latest);
  });

  test('when the process was stopped, and the connection is as new as the request', async () => {
    let latest = 0;
    let late: RawClient | undefined;
    await stopped(async () => {
      late = await RawClient.connect(served.port);
      latest = await sent(late);
    });
    expect(Number(await late?.answer())).toBeLessThanOrEqual(latest);
    late?.[Symbol.dispose]();
  });

  test('when the event loop was held up', async () => {
    using other = await RawClient.connect(served.port);
    await other.send('BLOCK', String(2 * held));
    await sleep(held);
    const latest = await sent(client);
    expect(Number(await client.answer())).toBeLessThanOrEqual(latest);
    expect(await other.answer()).toBe('+OK');
  });

  test('when more came meanwhile than is read at once', async () => {
    await using busy = await startServed();
    using sender = await RawClient.connect(busy.port);
    const stamp = requestBytes('STAMP', 'x'.repeat(50_000));
    const answers = async (count: number): Promise<readonly number[]> => {
      const lines = (await sender.until((text) => text.split('\r\n').length > 2 * count)).split('\r\n');
      return lines.filter((_, index) => index % 2 === 1).map(Number);
    };
    // The system gives a busy connection more room.
    for (let round = 0; round < 20; round += 1) {
      for (let index = 0; index < 50; index += 1) sender.socket.write(stamp);
      await answers(50);
    }
    busy.child.kill('SIGSTOP');
    for (let index = 0; index < 100; index += 1) sender.socket.write(stamp);
    await sleep(held);
    const latest = elapsed();
    const there = Math.ceil(unreadBytes(busy.port, sender.socket.localPort) / stamp.length);
    await sleep(held);
    busy.child.kill('SIGCONT');
    expect(there).toBeGreaterThan(0);
    for (const arrived of (await answers(100)).slice(0, there)) expect(arrived).toBeLessThanOrEqual(latest);
  });

  test('when the connection was not read because enough was under way', async () => {
    using other = await RawClient.connect(served.port);
    await client.write(Buffer.concat(Array.from({ length: 4 }, () => requestBytes('HOLD'))));
    expect(await other.ask('STAMP')).toMatch(/^\d/);
    await sleep(held);
    const latest = await sent(client);
    await sleep(held);
    await other.send('RELEASE');
    const answers = await client.until((text) => /\$\d+\r\n[\d.]+\r\n$/.test(text));
    expect(Number(answers.split('\r\n').at(-2))).toBeLessThanOrEqual(latest);
  });

  test('whatever comes together', async () => {
    using other = await RawClient.connect(served.port);
    for (let round = 0; round < 10; round += 1) {
      other.socket.write(requestBytes('BLOCK', String(10 * round)));
      let latest = 0;
      await sleep(7 * round);
      served.child.kill('SIGSTOP');
      latest = await sent(client);
      await sleep(5 * round);
      served.child.kill('SIGCONT');
      expect(Number(await client.answer())).toBeLessThanOrEqual(latest);
      expect(await other.answer()).toBe('+OK');
    }
  });
});
