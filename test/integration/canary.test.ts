import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Canaries } from '../support/canaries.ts';
import { entryText, snapshotText } from '../support/commands.ts';
import { freshDirectory, type ProgramOptions, runProgram } from '../support/program.ts';
import { type RunningService, startService, until } from '../support/service.ts';

const canaries = new Canaries();
const plainToken = canaries.mark('PlainToken');
const hashedToken = canaries.mark('HashedToken');
const wrongToken = canaries.mark('WrongToken');
const password = canaries.mark('Password');
const stored = canaries.mark('Stored');
const refused = canaries.mark('Refused');

const event = { 'content-type': 'application/cloudevents+json' };
const authorization = `Bearer ${plainToken}`;

let directory = '';
let options: ProgramOptions = {};
let service: RunningService;
let standardOutput = '';

/** Every answer that is no document of a session, whole. */
const answers: string[] = [];

beforeAll(async () => {
  directory = freshDirectory();
  const tokens = [
    { name: 'operator', token: plainToken, scopes: ['admin'] },
    { name: 'reader', sha256: createHash('sha256').update(hashedToken).digest('hex'), scopes: ['read'] },
  ];
  writeFileSync(join(directory, 'tokens.json'), JSON.stringify({ tokens }), { mode: 0o600 });
  const environment = {
    MACP_PERSIST_LOG_LEVEL: 'trace',
    MACP_PERSIST_HTTP_TOKENS: 'tokens.json',
    // What macp-runtime would connect to: not used here, and shown to nobody.
    MACP_REDIS_URL: `redis://someone:${password}@redis.example:6379/0?secret=${password}`,
  };
  options = { directory, environment };
  service = await startService([], options);
  service.child.stdout.on('data', (text) => {
    standardOutput += text;
  });
});

afterAll(async () => {
  if (service.child.exitCode === null) await service.stop('SIGKILL');
  rmSync(directory, { recursive: true });
});

/** Asks, and keeps the answer whole, headers included. */
async function ask(path: string, init: RequestInit = {}): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${service.url}${path}`, { ...init, headers: { authorization, ...init.headers } });
  const text = await answer.text();
  answers.push(`${answer.statusText} ${JSON.stringify([...answer.headers])} ${text}`);
  return { status: answer.status, text };
}

function sendEvent(members: object, data?: string): Promise<{ status: number; text: string }> {
  const attributes = JSON.stringify({ specversion: '1.0', ...members });
  const body = data === undefined ? attributes : `${attributes.slice(0, -1)},"data":${data}}`;
  return ask('/v1/commands?wait=applied&timeout_ms=1000', { method: 'POST', headers: event, body });
}

function numbered(sequence: number, type: string, data?: string, more: object = {}): Promise<{ status: number }> {
  const attributes = { id: `secrets/1/${sequence}`, source: '//test/one', subject: 'secrets', type };
  return sendEvent({ ...attributes, macpsequence: `${sequence}`, macpepoch: '1', ...more }, data);
}

async function sendRaw(text: string): Promise<void> {
  const { hostname, port } = new URL(service.url);
  const socket = connect(Number(port), hostname);
  socket.on('data', (part) => answers.push(part.toString('latin1'))).on('error', () => undefined);
  await once(socket, 'connect');
  socket.end(text);
  await once(socket, 'close');
}

describe('secrets stay where they belong', () => {
  test('what was stored comes back to those who may read it', async () => {
    const entry = entryText(stored);
    const snapshot = snapshotText(stored, 'secrets');
    const opaque = { data_base64: Buffer.from(stored).toString('base64') };
    await numbered(1, 'macp.session.create.v1');
    await numbered(2, 'macp.log.append.v1', entry);
    await numbered(3, 'macp.session.save.v1', snapshot);
    await numbered(4, 'macp.receipt.store.v1', undefined, opaque);
    expect((await numbered(5, 'macp.anchor.store.v1', undefined, opaque)).status).toBe(200);
    const read = async (path: string, token: string): Promise<string> => {
      const answer = await fetch(`${service.url}/v1/sessions/secrets${path}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      return answer.text();
    };
    expect(await read('', plainToken)).toBe(snapshot);
    expect(await read('/log', hashedToken)).toBe(`${entry}\n`);
    expect(await read('/receipt', hashedToken)).toBe(stored);
    expect(await read('/anchor', hashedToken)).toBe(stored);
  });

  test('in dead letters and in what waits', async () => {
    expect((await numbered(7, 'macp.log.append.v1', entryText(refused))).status).toBe(202);
    // The same number with other data: a conflict, which halts the session.
    expect((await numbered(5, 'macp.log.append.v1', entryText(refused))).status).toBe(409);
    const listed = await ask('/v1/admin/dead-letters');
    const { dead_letters: letters } = JSON.parse(listed.text);
    expect(letters).toMatchObject([{ reason: 'conflict' }]);
    for (const path of ['cursor', 'summary']) await ask(`/v1/sessions/secrets/${path}`);
    const skip = { sequence: 6, by: 'operator', reason: 'gone' };
    const json = { method: 'POST', headers: { 'content-type': 'application/json' } };
    await ask('/v1/admin/sessions/secrets/skip', { ...json, body: JSON.stringify(skip) });
    await ask('/v1/admin/sessions/secrets/skip', { ...json, body: JSON.stringify({ ...skip, sequence: refused }) });
    await ask('/v1/admin/sessions/secrets/skip', { ...json, body: `{"sequence":${refused}` });
    await ask('/v1/admin/sessions/secrets/repair?sequence=6&type=macp.log.append.v1', {
      ...json,
      body: entryText(refused).replace('Incoming', refused),
    });
  });

  test.each([
    ['a choice', entryText('a').replace('Incoming', refused)],
    ['a text in the place of bytes', entryText('a').replace('[1,2,3]', `"${refused}"`)],
    ['a lone surrogate', entryText('a').replace('agent://lead', `${refused} \\ud800`)],
    ['broken JSON', `{"${refused}":"${refused}","x":tru}`],
    ['another document', `"${refused}"`],
    ['nothing where a document is due', undefined],
    ['too much', `{"${refused}":"${refused.padEnd(17 * 1024 * 1024, 'x')}"}`],
  ])('in data that is refused: %s', async (_, data) => {
    const { status, text } = await sendEvent(
      { id: '1', source: '//me', subject: 'x', type: 'macp.log.append.v1' },
      data,
    );
    expect(status).toBeGreaterThanOrEqual(400);
    expect(text).toContain('"code"');
  });

  test.each([
    ['bytes that are no base64', { data_base64: `${refused}!` }],
    ['bytes that are no text', { data_base64: { secret: refused } }],
    ['a member that is an object', { payload: { secret: refused } }],
    ['data twice', { data_base64: Buffer.from(refused).toString('base64') }],
    ['another content type', { datacontenttype: 'text/plain' }],
  ])('in an event that is refused: %s', async (_, members) => {
    const attributes = { id: '1', source: '//me', subject: 'x', type: 'macp.receipt.store.v1', ...members };
    expect((await sendEvent(attributes, `"${refused}"`)).status).toBe(400);
  });

  test('in requests that are refused', async () => {
    const post = { method: 'POST', body: `{"secret":"${refused}"}` };
    const expectStatus = async (status: number, path: string, init: RequestInit = {}): Promise<void> =>
      expect((await ask(path, init)).status, path).toBe(status);
    await expectStatus(400, '/v1/commands', { ...post, headers: event, body: `[{"x":"${refused}` });
    await expectStatus(415, '/v1/commands', { ...post, headers: { 'content-type': 'text/plain' } });
    await expectStatus(400, `/v1/sessions?limit=${refused}`);
    await expectStatus(400, `/v1/sessions/secrets/log?from=${refused}`);
    await expectStatus(400, `/v1/sessions/secrets?token=${refused}`);
    await expectStatus(400, `/v1/admin/dead-letters?after=${refused}`);
    await expectStatus(404, `/v2/anything?secret=${refused}`);
    await expectStatus(405, `/v1/sessions?secret=${refused}`, post);
    await expectStatus(401, '/v1/sessions', { headers: { authorization: `Bearer ${wrongToken}` } });
    await expectStatus(401, '/v1/sessions', { headers: { authorization: `Basic ${btoa(`me:${wrongToken}`)}` } });
    await expectStatus(401, `/v1/sessions?access_token=${wrongToken}`, { headers: { authorization: '' } });
    await expectStatus(403, '/v1/admin/status', { headers: { authorization: `Bearer ${hashedToken}` } });
    await sendRaw(
      `GET /v1/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${wrongToken}\r\nBad header ${refused}\r\n\r\n`,
    );
    await sendRaw(`${refused}\r\n\r\n`);
    await sendRaw(`GET /${refused} HTTP/1.1\r\nHost: ${refused}\r\nConnection: close\r\n\r\n`);
  });

  test('in settings that are refused', async () => {
    writeFileSync(join(directory, 'broken.json'), `{"store": "level", "secret": ${password}`);
    writeFileSync(join(directory, 'broken-tokens.json'), `{"tokens":[{"name":"x","token":"${password}","scopes":[]}]}`);
    const runs = [
      ['config', '--config', 'broken.json'],
      ['start', '--http-port', '0', '--data-dir', 'other', '--http-tokens', 'broken-tokens.json'],
      ['doctor', '--http-tokens', 'broken-tokens.json'],
      ['config', '--store', `redis://someone:${password}@redis.example/0?password=${password}`],
      ['config', '--queue', `kafka://someone:${password}@kafka.example/topic`],
      ['start', '--queue', `nothing://someone:${password}@kafka.example/topic?password=${password}`],
      ['config', '--http-port', `x:${password}@y`],
    ].map(async (words) => {
      const { code, stdout, stderr } = await runProgram(words, options);
      expect(code, words.join(' ')).not.toBe(0);
      answers.push(stdout, stderr);
    });
    await Promise.all(runs);
  });

  test('and from everything that tells about them', async () => {
    const runs = [
      ['config'],
      ['config', '--json'],
      ['status'],
      ['status', '--json'],
      ['doctor'],
      ['doctor', '--json'],
      ['dead-letters', 'list'],
      ['dead-letters', 'list', '--json'],
      ['sessions', 'list'],
      ['sessions', 'show', 'secrets'],
    ].map(async (words) => {
      const { stdout, stderr } = await runProgram(words, options);
      expect(stdout, words.join(' ')).not.toBe('');
      answers.push(stdout, stderr);
    });
    await Promise.all(runs);
    for (const path of ['/metrics', '/healthz', '/readyz', '/openapi.json', '/v1/admin/status', '/v1/sessions'])
      expect((await ask(path)).status, path).toBe(200);
    expect(answers.flatMap((answer) => canaries.in(answer))).toEqual([]);
  });

  test('the address of the service holds its own token only, for its owner alone', async () => {
    const file = join(directory, 'macp-persist-data/service.json');
    const text = readFileSync(file, 'utf8');
    const { token, ...rest } = JSON.parse(text);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(Object.keys(rest).sort()).toEqual(['pid', 'queue', 'store', 'url']);
    expect(canaries.in(text)).toEqual([]);
    canaries.add(token);
    expect(answers.flatMap((answer) => canaries.in(answer))).toEqual([]);
  });

  test('the logs of all that hold none of them', async () => {
    await until(`${service.url}/readyz`, ({ status }) => status === 200);
    expect(await service.stop()).toBe(0);
    const log = service.said.join('\n');
    // Requests and dead letters did reach the log.
    expect(log).toContain('"reason":"conflict"');
    expect(log).toContain('"route":"/v1/commands"');
    expect(canaries.in(log)).toEqual([]);
    expect(canaries.in(standardOutput)).toEqual([]);
  });
});

test('a mark is found in every form in which it may turn up', () => {
  const mark = canaries.mark('Form');
  for (const form of [
    `x${mark}y`,
    Buffer.from(`x${mark}y`).toString('hex'),
    JSON.stringify([...Buffer.from(mark)]),
    ...['', 'x', 'xy'].map((before) => Buffer.from(`${before}${mark} and more`).toString('base64')),
  ]) {
    expect(canaries.in(form), form).toEqual([mark]);
  }
});
