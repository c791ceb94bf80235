import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { anonymousMebibytes, answeredStatuses, mostMebibytes } from '../support/footprint.ts';
import { freshDirectory } from '../support/program.ts';
import { type RunningService, startService } from '../support/service.ts';

const mebibyte = 1024 * 1024;
const heapMebibytes = 256;
/** Entries of one long log, and bytes of each. */
const logEntries = 30_000;
const entryBytes = 1_000;
const entriesOfRequest = 2_000;

let directory = '';
let service: RunningService;
let sockets: Socket[] = [];

beforeAll(async () => {
  directory = freshDirectory();
  // With little room for garbage, so that nothing that is kept hides in it.
  const environment = { NODE_OPTIONS: `--max-old-space-size=${heapMebibytes}` };
  service = await startService(['--http-maximum-rate', '0'], { directory, environment });
  await fillLog();
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets = [];
  // Whatever was done to it, it serves others, and takes no more memory than it may.
  const others = await Promise.all(Array.from({ length: 20 }, () => fetch(`${service.url}/v1/sessions/long/cursor`)));
  expect(others.map(({ status }) => status)).toEqual(others.map(() => 200));
  expect(anonymousMebibytes(service.child.pid)).toBeLessThan(mostMebibytes);
});

afterAll(async () => {
  if (service.child.exitCode === null) await service.stop('SIGKILL');
  rmSync(directory, { recursive: true });
});

function entry(): string {
  const fields =
    '"received_at_ms":1,"sender":"a","message_type":"Contribute","raw_payload":[1],"entry_kind":"Incoming"';
  const text = `{"message_id":"",${fields}}`;
  return text.replace('""', `"${'m'.repeat(entryBytes - text.length)}"`);
}

async function fillLog(): Promise<void> {
  const data = entry();
  for (let first = 1; first <= logEntries; first += entriesOfRequest) {
    const events = Array.from({ length: entriesOfRequest }, (_, index) => {
      const sequence = first + index;
      const attributes = `"specversion":"1.0","id":"long/1/${sequence}","source":"//me","subject":"long"`;
      return `{${attributes},"type":"macp.log.append.v1","macpsequence":${sequence},"macpepoch":1,"data":${data}}`;
    });
    const headers = { 'content-type': 'application/cloudevents-batch+json' };
    const answer = await fetch(`${service.url}/v1/commands`, {
      method: 'POST',
      headers,
      body: `[${events.join(',')}]`,
    });
    expect(answer.status, await answer.text()).toBe(202);
  }
  const read = await fetch(`${service.url}/v1/sessions/long/cursor?min_sequence=${logEntries}&timeout_ms=60000`);
  expect(await read.json()).toMatchObject({ entries: logEntries });
}

/** A connection that sends `text` and goes on only as it is told to. */
async function open(text: string | Uint8Array): Promise<Socket> {
  const { hostname, port } = new URL(service.url);
  const socket = connect(Number(port), hostname);
  sockets.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

function get(path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}\r\n`;
}

/** All that comes until the connection is closed by the other side. */
async function everything(socket: Socket): Promise<string> {
  let received = '';
  socket.on('data', (part) => {
    received += part.toString('latin1');
  });
  await new Promise((resolve) => socket.once('close', resolve));
  return received;
}

describe('a service goes on', () => {
  test('while readers of a long log do not read', async () => {
    const streams = await Promise.all(Array.from({ length: 30 }, () => open(get('/v1/sessions/long/log'))));
    await Promise.all(streams.map((socket) => once(socket, 'readable')));
    const answer = await fetch(`${service.url}/v1/sessions/long/log`);
    expect((await answer.arrayBuffer()).byteLength).toBe(logEntries * (entryBytes + 1));
    // Thirty times the log is more than it may take.
    expect(30 * logEntries * entryBytes).toBeGreaterThan(mostMebibytes * mebibyte);
    expect(anonymousMebibytes(service.child.pid)).toBeLessThan(mostMebibytes);
  });

  test('while bodies come a byte at a time, or never', async () => {
    const headers = `Content-Type: application/cloudevents+json\r\nContent-Length: ${mebibyte}\r\n`;
    const request = get('/v1/commands', headers).replace('GET', 'POST');
    const slow = await Promise.all(Array.from({ length: 200 }, () => open(request)));
    for (let round = 0; round < 5; round += 1) {
      for (const socket of slow) socket.write('{');
      expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
    }
  });

  test('while headers come a byte at a time, or never', async () => {
    const slow = await Promise.all(Array.from({ length: 200 }, () => open('GET /v1/sessions HTTP/1.1\r\nHost: ')));
    for (let round = 0; round < 5; round += 1) {
      for (const socket of slow) socket.write('x');
      expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
    }
  });

  test('while as many reads as it takes wait for what never comes', async () => {
    const waiting = get('/v1/sessions/long/cursor?min_sequence=1000000&timeout_ms=60000');
    await Promise.all(Array.from({ length: 900 }, () => open(waiting.repeat(20))));
    for (let round = 0; round < 20; round += 1) {
      expect((await fetch(`${service.url}/v1/sessions/long/cursor`)).status).toBe(200);
    }
    expect(anonymousMebibytes(service.child.pid)).toBeLessThan(mostMebibytes);
  });

  test.each([
    [30, '/v1/sessions/long/cursor?min_sequence=1000000&timeout_ms=60000'],
    [30, '/v1/sessions/long/log?follow=true&from=1000000'],
    // Each that is taken holds two pages of the log until it is cut off.
    [5, '/v1/sessions/long/log'],
  ])('when more come at once on each of %i connections than it takes, again and again: %s', async (length, path) => {
    for (let round = 0; round < 10; round += 1) {
      const greedy = await Promise.all(Array.from({ length }, () => open(get(path).repeat(1_000))));
      await Promise.all(greedy.map(everything));
    }
  });

  test('when headers are huge', async () => {
    const large = await open(get('/readyz', `X-Large: ${'x'.repeat(20_000)}\r\n`));
    expect(await everything(large)).toMatch(/^HTTP\/1\.1 431 /);
    // Closed while it still sends, it may not get to see its answer.
    const huge = await open(get('/readyz', `X-Huge: ${'x'.repeat(8 * mebibyte)}\r\n`));
    expect(await everything(huge)).toMatch(/^(HTTP\/1\.1 431 |$)/);
  });

  test('when requests come at once on one connection: each has its answer, in order', async () => {
    const requests = Array.from({ length: 19 }, (_, index) => get(`/v1/sessions/none-${index}`));
    const socket = await open(`${requests.join('')}${get('/readyz', 'Connection: close\r\n')}`);
    const answers = [...(await everything(socket)).matchAll(/none-(\d+)\\" does not exist|"ready":true/g)];
    expect(answers.map(([, index]) => index)).toEqual([...requests.map((_, index) => `${index}`), undefined]);
  });

  test('when uploads are broken off: their room is free again', async () => {
    const headers = `Content-Type: application/cloudevents+json\r\nContent-Length: ${30 * mebibyte}\r\n`;
    const request = get('/v1/commands', headers).replace('GET', 'POST');
    const part = Buffer.alloc(mebibyte, ' ');
    for (let round = 0; round < 10; round += 1) {
      const uploads = await Promise.all(Array.from({ length: 20 }, () => open(request)));
      await Promise.all(uploads.map((socket) => new Promise((resolve) => socket.write(part, resolve))));
      for (const socket of uploads) socket.destroy();
    }
    const body = `${' '.repeat(20 * mebibyte)}{}`;
    const init = { method: 'POST', headers: { 'content-type': 'application/cloudevents+json' }, body };
    // It was read whole: what is wrong with it is what it says.
    expect(await (await fetch(`${service.url}/v1/commands`, init)).json()).toMatchObject({ code: 'MISSING_ATTRIBUTE' });
  });

  test('whatever bytes are sent to it', async () => {
    const path = fc.oneof(
      fc.constantFrom('/v1/sessions/long/log', '/v1/commands', '/metrics', '*', '//'),
      fc.webPath(),
    );
    const line = fc
      .tuple(
        fc.constantFrom('GET', 'POST', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT', 'PRI', 'get'),
        path,
        fc.webQueryParameters(),
      )
      .map(([method, place, query]) => `${method} ${place}?${query} HTTP/1.1\r\n`);
    const header = fc.oneof(
      fc.constantFrom(
        'Host: 127.0.0.1\r\n',
        'Content-Length: 5\r\n',
        'Content-Length: -1\r\n',
        'Transfer-Encoding: chunked\r\n',
        'Transfer-Encoding: gzip\r\n',
        'Expect: 100-continue\r\n',
        'Upgrade: websocket\r\nConnection: upgrade\r\n',
        'Content-Type: application/cloudevents+json\r\n',
        'Accept: text/event-stream\r\n',
        'Connection: close\r\n',
      ),
      fc.string({ unit: 'binary', maxLength: 40 }).map((text) => `X-Any: ${text}\r\n`),
      fc.string({ maxLength: 40 }),
    );
    const body = fc.oneof(
      fc.constantFrom('\r\n', '\r\n5\r\nhello\r\n0\r\n\r\n', '\r\nffffffffffffffffff\r\n'),
      fc.string(),
    );
    const request = fc
      .tuple(line, fc.array(header, { maxLength: 6 }), body)
      .map(([first, headers, rest]) => Buffer.from(`${first}${headers.join('')}${rest}`, 'utf8'));
    const anything = fc.oneof(
      { weight: 4, arbitrary: request },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(anything, { minLength: 1, maxLength: 3 }), async (parts) => {
        const socket = await open(Buffer.concat(parts));
        const received = everything(socket);
        socket.end();
        for (const [, status] of (await received).matchAll(/HTTP\/1\.1 (\d+)/g))
          expect(Number(status)).toBeLessThan(500);
      }),
      { numRuns: 300, seed: Number(process.env['FUZZ_SEED'] ?? 1) },
    );
  });

  test('and ends in order, without having failed once', async () => {
    expect((await answeredStatuses(service.url)).filter((status) => status >= 500)).toEqual([]);
    expect(service.said.filter((line) => /"level":[56]0/.test(line))).toEqual([]);
  });
});
