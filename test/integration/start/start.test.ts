import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { root } from '../../../scripts/project.mjs';
import { freshDirectory, runProgram, startProgram } from '../../support/program.ts';
import { type RunningService, startService, until } from '../../support/service.ts';

const golden = join(root, 'test/fixtures/golden/v0.13.0');
const stream = join(golden, 'commands.ndjson');
const expected = readFileSync(join(golden, 'expected.ndjson'), 'utf8');
const events = { 'content-type': 'application/cloudevents+json' };

let directory = '';
let running: RunningService[] = [];
beforeEach(() => {
  directory = freshDirectory();
  running = [];
});
afterEach(async () => {
  for (const service of running) if (service.child.exitCode === null) await service.stop('SIGKILL');
  rmSync(directory, { recursive: true });
});

async function start(words: readonly string[] = [], command: 'start' | 'serve' = 'start'): Promise<RunningService> {
  const service = await startService(words, { directory, command });
  running.push(service);
  return service;
}

function event(session: string, id: string): string {
  return JSON.stringify({ specversion: '1.0', id, source: '//me', type: 'macp.session.create.v1', subject: session });
}

describe('a standalone service', () => {
  test('takes commands over HTTP, shows them at once to a read that waits, and again after it was stopped and started', async () => {
    const first = await start();
    const sent = await fetch(`${first.url}/v1/commands`, {
      method: 'POST',
      headers: events,
      body: event('hello', '1'),
    });
    const { results } = (await sent.json()) as { results: { sequence: number; outcome: string }[] };
    expect([sent.status, results[0]?.sequence, results[0]?.outcome]).toEqual([202, 1, 'durable']);
    const read = await fetch(`${first.url}/v1/sessions/hello/cursor?min_sequence=1`);
    expect(await read.json()).toMatchObject({ presence: 'known', last_sequence: 1 });
    expect(await first.stop('SIGINT')).toBe(0);
    const second = await start();
    const again = await fetch(`${second.url}/v1/sessions/hello/summary`);
    expect(await again.json()).toMatchObject({ session_id: 'hello', last_sequence: 1 });
  });

  test('is what the command line works through while it owns the data', async () => {
    const service = await start();
    expect(await runProgram(['publish', stream], { directory })).toMatchObject({
      code: 0,
      stdout: 'Published 940 commands of 40 sessions.\n',
    });
    await until(`${service.url}/v1/admin/status`, async (answer) => {
      const { queue } = (await answer.json()) as { queue: { lag: number } };
      return queue.lag === 0;
    });
    const dump = await runProgram(['sessions', 'dump'], { directory });
    expect([dump.code, dump.stdout === expected]).toEqual([0, true]);
    const as = await runProgram(['publish', '-', '--as', '//me/1'], { directory, input: `${event('mine', 'a')}\n` });
    expect(as).toMatchObject({ code: 0, stdout: 'Published 1 commands of 1 sessions.\n' });
    const shown = await runProgram(['sessions', 'show', 'mine'], { directory });
    expect(shown.stdout).toContain('last sequence  1');
    const status = await runProgram(['status', '--json'], { directory });
    expect(JSON.parse(status.stdout)).toMatchObject({ mode: 'start', pid: service.child.pid, ready: true });
  });

  test('leaves its address to its owner alone, and takes it away at its end', async () => {
    const service = await start();
    const file = join(directory, 'macp-persist-data/service.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ url: service.url, pid: service.child.pid });
    expect(await service.stop()).toBe(0);
    expect(existsSync(file)).toBe(false);
  });

  test('that was killed leaves an address behind which hinders nobody', async () => {
    const service = await start();
    await service.stop('SIGKILL');
    expect(existsSync(join(directory, 'macp-persist-data/service.json'))).toBe(true);
    expect(await runProgram(['sessions', 'list'], { directory })).toMatchObject({ code: 0, stdout: '' });
    expect(await runProgram(['publish', stream], { directory })).toMatchObject({ code: 0 });
  });

  test('finishes the requests under way when it is told to stop, and persists what waits', async () => {
    const service = await start();
    // A read that waits for a number which comes only after the signal.
    const reading = fetch(`${service.url}/v1/sessions/late/cursor?min_sequence=1&timeout_ms=2000`);
    await until(`${service.url}/metrics`, async (answer) => (await answer.text()).includes('macp_persist'));
    await wait(50);
    const ended = service.stop();
    const answer = await reading;
    expect([answer.status, await answer.json()]).toMatchObject([409, { code: 'NOT_YET_APPLIED' }]);
    expect(await ended).toBe(0);
  });

  test('refuses to listen for other machines without tokens', async () => {
    const ending = await runProgram(['start', '--http-host', '0.0.0.0', '--http-port', '0'], { directory });
    expect([ending.code, ending.stderr]).toEqual([2, expect.stringContaining('http.tokens')]);
  });

  test('that is stopped, and so answers nothing, is told of instead of being waited for', async () => {
    const service = await start();
    service.child.kill('SIGSTOP');
    const listed = await runProgram(['sessions', 'list'], { directory });
    service.child.kill('SIGCONT');
    expect([listed.code, listed.stderr]).toEqual([5, expect.stringContaining('does not answer')]);
  });

  test('makes backups where it was told to, and a command that wants them elsewhere is refused', async () => {
    await start();
    const words = ['backup', 'one', '--service-backup-directory', join(directory, 'elsewhere')];
    const refused = await runProgram(words, { directory });
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('leave that out here')]);
    expect(await runProgram(['backup', 'one'], { directory })).toMatchObject({ code: 0 });
  });

  test('a second one on the same data is told who has it', async () => {
    const first = await start();
    const second = await runProgram(['start', '--http-port', '0'], { directory });
    expect([second.code, second.stderr]).toEqual([5, expect.stringMatching(/(QUEUE|STORE)_LOCKED/)]);
    expect(second.stderr).toContain(`process ${first.child.pid}`);
  });
});

describe('standing by', () => {
  test.each(['start', 'worker'] as const)('a %s takes over when the one that works is killed', async (command) => {
    const first = await start();
    const standby = startProgram([command, '--standby', '--http-port', '0'], { directory });
    let said = '';
    standby.stderr.on('data', (text) => {
      said += text;
    });
    while (!said.includes('standing by')) await wait(20);
    expect(said).not.toContain('worker opened');
    await fetch(`${first.url}/v1/commands`, { method: 'POST', headers: events, body: event('kept', '1') });
    await first.stop('SIGKILL');
    while (!said.includes('worker opened')) await wait(20);
    while (!existsSync(join(directory, 'macp-persist-data/service.json'))) await wait(20);
    const pidOf = () => JSON.parse(readFileSync(join(directory, 'macp-persist-data/service.json'), 'utf8')).pid;
    while (pidOf() !== standby.pid) await wait(20);
    const shown = await runProgram(['sessions', 'show', 'kept'], { directory });
    expect(shown.stdout).toContain('presence       known');
    standby.kill('SIGTERM');
    while (standby.exitCode === null) await wait(20);
    expect(standby.exitCode).toBe(0);
  });

  test('one that is told to stop before its turn ends in order', async () => {
    await start();
    const standby = startProgram(['start', '--standby', '--http-port', '0'], { directory });
    let said = '';
    standby.stderr.on('data', (text) => {
      said += text;
    });
    while (!said.includes('standing by')) await wait(20);
    standby.kill('SIGINT');
    while (standby.exitCode === null) await wait(20);
    expect(standby.exitCode).toBe(0);
  });
});

describe('serving a store without a worker', () => {
  test('reads what is there, and says where commands are taken', async () => {
    await runProgram(['publish', stream], { directory });
    await runProgram(['worker', '--exit-when-caught-up', '--log-level', 'silent'], { directory });
    const service = await start([], 'serve');
    const listed = await fetch(`${service.url}/v1/sessions?limit=1000`);
    expect(((await listed.json()) as { sessions: unknown[] }).sessions).toHaveLength(expected.split('\n').length - 1);
    const sent = await fetch(`${service.url}/v1/commands`, { method: 'POST', headers: events, body: event('x', '1') });
    expect(await sent.json()).toMatchObject({ code: 'NOT_SUPPORTED' });
    expect(await service.stop()).toBe(0);
  });

  test('there must be a store', async () => {
    const ending = await runProgram(['serve', '--http-port', '0'], { directory });
    expect([ending.code, ending.stderr]).toEqual([2, expect.stringContaining('there is no store')]);
  });
});
