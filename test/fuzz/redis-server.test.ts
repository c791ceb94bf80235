import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { redisServerLimits } from '../../src/redis-server/limits.ts';
import { anonymousMebibytes, mostMebibytes } from '../support/footprint.ts';
import { requestBytes } from '../support/redis-requests.ts';
import { RawClient } from '../support/redis-server/raw-client.ts';
import { type Served, startServed } from '../support/redis-server/served.ts';

const mebibyte = 1024 * 1024;
const seed = Number(process.env['FUZZ_SEED'] ?? 1);
/** Rounds are short here, so that nobody waits long for what runs out of patience. */
const patience = { roundMs: 100, introduction: 30, request: 30, unread: 20 };
const heldBytes = 64 * mebibyte;

let served: Served;
let clients: RawClient[] = [];
/** Those of the clients: a socket that is closed knows its own no more. */
let ports = new Set<number | undefined>();

beforeAll(async () => {
  // With little room for garbage, so that nothing that is kept hides in it.
  served = await startServed({ limits: { patience, heldBytes }, node: ['--max-old-space-size=128'] });
});

afterEach(async () => {
  for (const client of clients) client.socket.destroy();
  clients = [];
  ports = new Set();
  // Whatever was done to it, it serves others, and takes no more memory than it may.
  expect(await askAnew('PING')).toBe('+PONG');
  expect(anonymousMebibytes(served.child.pid)).toBeLessThan(mostMebibytes);
});

afterAll(() => served[Symbol.asyncDispose]());

async function open(): Promise<RawClient> {
  const client = await RawClient.connect(served.port);
  clients.push(client);
  ports.add(client.socket.localPort);
  return client;
}

/** Connections that many others still hold are free again when those have been noticed to be gone. */
async function askAnew(...parts: readonly string[]): Promise<string> {
  for (;;) {
    using client = await RawClient.connect(served.port);
    const answer = await client.ask(...parts).catch(() => undefined);
    if (answer !== undefined) return answer;
  }
}

async function openMany(count: number): Promise<readonly RawClient[]> {
  return await Promise.all(Array.from({ length: count }, open));
}

function many(count: number, ...parts: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat(Array(count).fill(requestBytes(...parts)));
}

/** Sends all it can without reading anything, and waits for nothing. */
function press(client: RawClient, bytes: Uint8Array): void {
  client.socket.pause();
  client.socket.write(bytes);
}

const text = fc.oneof(
  fc.constantFrom('COUNT', 'MULTI', 'EXEC', 'HELLO', '3', 'PING', ''),
  fc.string({ maxLength: 20 }),
);
const request = fc.array(text, { minLength: 1, maxLength: 4 }).map((parts) => requestBytes(...parts));
const noise = fc.oneof(
  fc.uint8Array({ maxLength: 50 }),
  fc.constantFrom(
    '*1\r\n',
    '*-1\r\n',
    '*0\r\n',
    '*1000000000\r\n',
    '*99999999999999999999\r\n',
    '$-1\r\n',
    '$2147483648\r\n',
    '*1\r\n$-1\r\n',
    '*2\r\n$4\r\nECHO\r\n$33554433\r\n',
    '*1\r\n*1\r\n$4\r\nPING\r\n',
    'PING\r\n',
    'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01',
    '\r\n',
    '\0'.repeat(100),
  ),
);

describe('a server goes on', () => {
  test('whatever bytes are sent to it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(request, noise), { maxLength: 8 }), async (parts) => {
        using client = await RawClient.connect(served.port);
        for (const part of parts) client.socket.write(part);
        client.socket.end();
        // It answers in replies, and closes.
        expect(await client.closed()).toMatch(/^([+\-:$*%_~]|$)/);
      }),
      { numRuns: 500, seed },
    );
  });

  test('and has done whole requests, each once, and nothing of others', async () => {
    let runs = 0;
    const damage = fc.oneof(
      fc.nat().map((at) => (bytes: Buffer) => bytes.subarray(0, at % bytes.length)),
      noise.map((other) => () => Buffer.from(other)),
      fc
        .nat()
        .map((at) => (bytes: Buffer) => Buffer.concat([bytes.subarray(0, at % bytes.length), Buffer.from('\r\n*')])),
    );
    const cuts = fc.array(fc.nat(), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 30 }), fc.nat({ max: 5 }), damage, cuts, async (whole, inside, damaged, at) => {
        runs += 1;
        const key = `run-${runs}`;
        const last = requestBytes('COUNT', key, 'x'.repeat(100));
        const unfinished = Buffer.concat([requestBytes('MULTI'), many(inside, 'COUNT', key)]);
        const bytes = Buffer.concat([many(whole, 'COUNT', key), unfinished, damaged(last)]);
        using client = await RawClient.connect(served.port);
        let from = 0;
        for (const end of [...at.map((place) => place % bytes.length), bytes.length].sort((a, b) => a - b)) {
          await client.write(bytes.subarray(from, end));
          from = end;
        }
        client.socket.end();
        await client.closed();
        expect(await askAnew('COUNTED', key)).toBe(`:${whole}`);
      }),
      { numRuns: 200, seed },
    );
  });

  test('while many ask without end and read nothing', async () => {
    const requests = many(30_000, 'ECHO', 'x'.repeat(1_000));
    for (const client of await openMany(50)) press(client, requests);
    await untilClosed(50);
  });

  test('while many ask for large answers and read nothing', async () => {
    const requests = many(50, 'BYTES', String(4 * mebibyte));
    for (const client of await openMany(30)) press(client, requests);
    await untilClosed(30);
  });

  test('while many ask for long streams and read nothing', async () => {
    const requests = many(50, 'STREAM', '1000000', '10000');
    for (const client of await openMany(50)) press(client, requests);
    await untilClosed(50);
  });

  test('while many send as much as may be under way, and none of it is answered', async () => {
    const requests = many(40, 'HOLD', Buffer.alloc(mebibyte));
    for (const client of await openMany(30)) press(client, requests);
    // Some of them go beyond what all together may hold.
    await until(() => served.log().includes('all clients together hold as much as they may'));
    expect(anonymousMebibytes(served.child.pid)).toBeLessThan(mostMebibytes);
  });

  test('while many send a byte at a time, or no more', async () => {
    const slow = await openMany(150);
    const bytes = requestBytes('COUNT', 'slow', 'x'.repeat(1_000));
    for (let at = 0; at < 200; at += 1) {
      for (const client of slow) client.socket.write(bytes.subarray(at, at + 1));
      expect(await askAnew('PING')).toBe('+PONG');
    }
    await untilClosed(150);
    expect(await askAnew('COUNTED', 'slow')).toBe(':0');
  });

  test('when large requests are broken off: their room is free again', async () => {
    for (let round = 0; round < 5; round += 1) {
      const uploads = await openMany(20);
      const part = Buffer.alloc(2 * mebibyte, 'x');
      await Promise.all(uploads.map((client) => client.write('*2\r\n$4\r\nECHO\r\n$20000000\r\n')));
      await Promise.all(uploads.map((client) => client.write(part)));
      for (const client of uploads) client.socket.resetAndDestroy();
    }
    using client = await RawClient.connect(served.port);
    await client.send('ECHO', 'x'.repeat(20_000_000));
    expect((await client.until((received) => received.length > 20_000_000)).length).toBe(20_000_013);
  });

  test('when thousands connect, at once and one after another', async () => {
    const { connections } = redisServerLimits;
    for (let round = 0; round < 10; round += 1) {
      const crowd = await Promise.all(Array.from({ length: 2 * connections }, () => RawClient.connect(served.port)));
      for (const client of crowd) client.socket.destroy();
    }
    for (let index = 0; index < 2_000; index += 1) {
      using client = await RawClient.connect(served.port);
      client.socket.write(requestBytes('PING'));
    }
  });

  test('and ends without having failed once', () => {
    expect(served.child.exitCode).toBeNull();
    expect(served.log()).not.toMatch(/"level":[56]0|Error|Warning/);
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Resolves once as many connections were cut off as are open here: those that read nothing are not told. */
async function untilClosed(count: number): Promise<void> {
  await until(() => {
    const cut = served.log().matchAll(/"client":"127\.0\.0\.1:(\d+)"/g);
    return [...cut].filter(([, port]) => ports.has(Number(port))).length >= count;
  });
  expect(anonymousMebibytes(served.child.pid)).toBeLessThan(mostMebibytes);
}
