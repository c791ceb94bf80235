import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { entryText } from '../support/commands.ts';
import { anonymousMebibytes, mostMebibytes } from '../support/footprint.ts';
import { freshDirectory } from '../support/program.ts';
import { requestBytes } from '../support/redis-requests.ts';
import { RawClient } from '../support/redis-server/raw-client.ts';
import { type RunningService, startService } from '../support/service.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? 1);

let directory = '';
let service: RunningService;
let port = 0;
let sessions = 0;

beforeAll(async () => {
  directory = freshDirectory();
  service = await startService(['--gateway-port', '0'], { directory });
  while (port === 0) {
    const line = service.said.find((said) => said.includes('the gateway listens'));
    if (line !== undefined) port = Number(JSON.parse(line).address.split(':').at(-1));
    else await new Promise((resolve) => setTimeout(resolve, 20));
  }
});

afterEach(() => {
  expect(anonymousMebibytes(service.child.pid)).toBeLessThan(mostMebibytes);
});

afterAll(async () => {
  if (service.child.exitCode === null) await service.stop('SIGKILL');
  rmSync(directory, { recursive: true });
});

/** What the log of a session holds by now, as the ids of its messages. */
async function logOf(session: string): Promise<readonly string[]> {
  for (;;) {
    using client = await RawClient.connect(port);
    await client.send('LRANGE', `macp:log:${session}`, '0', '-1');
    await client.send('PING');
    // Until what was written before is applied there may be no answer in time.
    const answer = await client.until((text) => text.endsWith('+PONG\r\n')).catch(() => '-');
    if (answer.startsWith('*')) return [...answer.matchAll(/"message_id":"([^"]*)"/g)].map(([, id = '']) => id);
  }
}

/** Sends these bytes in pieces that end at these places, and nothing more; resolves with all that was answered. */
async function send(bytes: Uint8Array, places: readonly number[], breaksOff: boolean): Promise<string> {
  using client = await RawClient.connect(port);
  const ends = [...places.map((place) => place % bytes.length), bytes.length].sort((a, b) => a - b);
  let from = 0;
  for (const end of ends) {
    await client.write(bytes.subarray(from, end));
    from = end;
  }
  if (breaksOff) client.socket.resetAndDestroy();
  else client.socket.end();
  return await client.closed();
}

const places = fc.array(fc.nat(), { maxLength: 6 });

describe('of what a client sends before it breaks off', () => {
  test('whole appends are in the log, in order and once, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 8 }), fc.nat(), places, fc.boolean(), async (count, cut, at, breaksOff) => {
        sessions += 1;
        const session = `appended-${sessions}`;
        const marks = Array.from({ length: count }, (_, index) => `m${index}`);
        const append = (mark: string) => requestBytes('RPUSH', `macp:log:${session}`, entryText(mark));
        const last = append('half');
        const whole = [requestBytes('SADD', 'macp:sessions', session), ...marks.map(append)];
        const answers = await send(Buffer.concat([...whole, last.subarray(0, cut % last.length)]), at, breaksOff);
        const log = await logOf(session);
        expect(log).toEqual(marks.slice(0, log.length));
        const acknowledged = [...answers.matchAll(/^:\d+\r$/gm)].length - 1;
        expect(log.length).toBeGreaterThanOrEqual(Math.max(acknowledged, 0));
        if (!breaksOff && !answers.includes('-ERR') && acknowledged === count) expect(log).toEqual(marks);
      }),
      { numRuns: 60, seed },
    );
  });

  test('a log is replaced whole, or not at all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 5 }), fc.nat(), places, fc.boolean(), async (count, cut, at, breaksOff) => {
        sessions += 1;
        const session = `replaced-${sessions}`;
        const key = `macp:log:${session}`;
        await send(requestBytes('RPUSH', key, entryText('before')), [], false);
        const marks = Array.from({ length: count }, (_, index) => `c${index}`);
        const parts = [['MULTI'], ['DEL', key], ...marks.map((mark) => ['RPUSH', key, entryText(mark)]), ['EXEC']];
        const bytes = Buffer.concat(parts.map((part) => requestBytes(...part)));
        const sent = bytes.subarray(0, 1 + (cut % bytes.length));
        const answers = await send(sent, at, breaksOff);
        const log = await logOf(session);
        const isWhole = sent.length === bytes.length;
        expect([['before'], ...(isWhole ? [marks] : [])]).toContainEqual(log);
        if (answers.includes(`*${count + 1}\r\n`)) expect(log).toEqual(marks);
      }),
      { numRuns: 60, seed },
    );
  });

  test('whatever it is, the gateway goes on', async () => {
    const word = fc.oneof(
      fc.constantFrom(
        'RPUSH',
        'SET',
        'SADD',
        'DEL',
        'SREM',
        'MULTI',
        'EXEC',
        'GET',
        'LRANGE',
        'SMEMBERS',
        'SETNX',
        'EX',
      ),
      fc.constantFrom(
        'macp:sessions',
        'macp:log:x',
        'macp:session:x',
        'macp:receipt:x',
        'macp:anchor:..',
        '0',
        '-1',
        '',
      ),
      fc.constantFrom(entryText('m'), '{}', '[', '\0'),
      fc.string({ unit: 'binary', maxLength: 20 }),
    );
    const request = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => requestBytes(...words));
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 10 }), places, async (requests, at) => {
        expect(await send(Buffer.concat(requests), at, false)).toMatch(/^([+\-:$*]|$)/);
      }),
      { numRuns: 100, seed },
    );
    expect((await fetch(`${service.url}/readyz`)).status).toBeLessThan(600);
    expect(await logOf('none')).toEqual([]);
    expect(service.said.filter((line) => /"level":[56]0/.test(line))).toEqual([]);
  });
});
