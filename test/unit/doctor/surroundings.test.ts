import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { root } from '../../../scripts/project.mjs';
import { data, judgeStatus } from '../../../src/compose/doctor/data-checks.ts';
import { directories, space, strangers } from '../../../src/compose/doctor/directory-checks.ts';
import { syncing } from '../../../src/compose/doctor/disk-checks.ts';
import { examine } from '../../../src/compose/doctor/doctor.ts';
import { listening, serviceFile, tokenFile } from '../../../src/compose/doctor/http-checks.ts';
import { writeServiceAddress } from '../../../src/compose/service-file.ts';
import { nodeFileSystem } from '../../../src/platform/node-file-system.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import type { ServiceStatus } from '../../../src/ports/service.ts';
import { openLevelStore } from '../../../src/stores/level/level-store.ts';
import { examinedWith } from './examined.ts';

let place = '';
let dataDir = '';
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'macp-persist-doctor-'));
  dataDir = join(place, 'data');
});
afterEach(() => rmSync(place, { recursive: true }));

const here = (flags: Readonly<Record<string, string>> = {}) => examinedWith({ 'data-dir': dataDir, ...flags });
const openStore = () =>
  openLevelStore({ directory: join(dataDir, 'level'), files: nodeFileSystem, clock: systemClock, newId: randomUUID });

test('where nothing is yet, nothing is wrong, and nothing is left behind', async () => {
  const findings = await examine(here({ 'http-port': '0' }));
  expect(findings.filter(({ result }) => result === 'problem')).toEqual([]);
  expect(new Set(findings.map(({ subject }) => subject))).toEqual(
    new Set([
      'node',
      'memory',
      'open files',
      'clock',
      'data directory',
      'store directory',
      'queue directory',
      'backup directory',
      'temporary directory',
      'disk',
      'sync',
      'store',
      'queue',
      'http',
    ]),
  );
  expect(readdirSync(place)).toEqual([]);
});

describe('directories', () => {
  test('a file in the place of one is a problem, as is one that cannot be made', async () => {
    writeFileSync(dataDir, '');
    const blocked = await directories(here());
    expect(blocked).toContainEqual(
      expect.objectContaining({ subject: 'data directory', result: 'problem', found: `${dataDir} is no directory` }),
    );
    const nowhere = await directories(examinedWith({ 'data-dir': '/proc/nowhere' }));
    expect(nowhere).toContainEqual(
      expect.objectContaining({
        subject: 'data directory',
        result: 'problem',
        change: expect.stringContaining('dataDir'),
      }),
    );
  });

  test('one that other users may write to, or that is of another user, is a warning', async () => {
    mkdirSync(dataDir);
    chmodSync(dataDir, 0o777);
    const examined = here();
    const findings = await directories({ ...examined, machine: { ...examined.machine, user: 4_000_000 } });
    const changes = findings.filter(({ result }) => result === 'warning').map(({ change }) => change);
    expect(changes).toEqual([
      `take the right away: chmod go-w ${dataDir}`,
      expect.stringContaining('its owner always'),
    ]);
  });

  test('what is not ours in the data directory is named', async () => {
    mkdirSync(join(dataDir, 'level'), { recursive: true });
    mkdirSync(join(dataDir, 'mine'));
    expect(await strangers(here({ store: `level:${join(dataDir, 'mine')}` }))).toEqual([]);
    writeFileSync(join(dataDir, 'notes.txt'), '');
    expect(await strangers(here())).toMatchObject([
      { result: 'warning', found: expect.stringContaining('"mine", "notes.txt"') },
    ]);
  });

  test('space and syncs are measured, each disk once', async () => {
    expect((await space(here())).map(({ subject }) => subject)).toContain('disk');
    const huge = await space(here({ 'embedded-retention-size': '1000TiB' }));
    expect(huge).toContainEqual(
      expect.objectContaining({ result: 'warning', found: expect.stringContaining('the queue') }),
    );
    expect(await syncing(here())).toMatchObject([{ subject: 'sync', found: expect.stringMatching(/takes [\d.]+ ms/) }]);
    expect(await syncing(examinedWith({ 'data-dir': '/proc/nowhere' }))).toMatchObject([{ result: 'warning' }]);
  });
});

describe('data', () => {
  test('a store that another process has open is a problem, which names that process', async () => {
    const store = await openStore();
    await store.close();
    // Not in this process: its own second look at a lock file would take its lock away.
    const script = `import { ClassicLevel } from 'classic-level';
      await new ClassicLevel(process.argv[1]).open(); console.log('open'); setInterval(() => undefined, 1000);`;
    const words = ['--input-type=module', '-e', script, join(dataDir, 'level')];
    const child = spawn(process.execPath, words, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    expect(await data(here())).toMatchObject([
      { subject: 'store', result: 'problem', change: expect.stringContaining(`stop process ${child.pid} (`) },
    ]);
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(await data(here())).toMatchObject([
      { subject: 'store', result: 'ok', found: expect.stringContaining(store.identity.id) },
    ]);
  });

  test('a damaged store is a problem', async () => {
    await (await openStore()).close();
    writeFileSync(join(dataDir, 'level', 'CURRENT'), 'no manifest');
    expect(await data(here())).toMatchObject([
      { subject: 'store', result: 'problem', change: expect.stringContaining('copy') },
    ]);
  });

  test('a store in memory is a warning', async () => {
    expect(await data(here({ store: 'memory' }))).toMatchObject([{ subject: 'store', result: 'warning' }]);
  });

  test('blocked sessions, and a process that is not ready, are warnings', () => {
    const status = {
      mode: 'start',
      pid: 7,
      ready: false,
      unready_because: 'the store is full',
      queue: null,
      store: { kind: 'level', id: 'x', layout_version: 2 },
      totals: { sessions: 3, halted: 1, refused: 0, waiting: 2 },
    } as ServiceStatus;
    const findings = judgeStatus(status, { url: 'http://127.0.0.1:1', token: 't', pid: 7 });
    expect(findings).toMatchObject([
      { result: 'ok', found: expect.stringContaining('open in process 7 (start)') },
      { subject: 'service', result: 'warning', found: expect.stringContaining('the store is full') },
      { subject: 'sessions', result: 'warning', change: expect.stringContaining('sessions list --blocked') },
    ]);
  });
});

describe('network', () => {
  const listener = async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { port: (server.address() as AddressInfo).port, [Symbol.dispose]: () => server.close() };
  };

  test('a port that is taken is a problem, unless our own process has it', async () => {
    using taken = await listener();
    const flags = { 'http-port': String(taken.port) };
    expect(await listening(here(flags))).toMatchObject([
      { result: 'problem', found: expect.stringContaining('something else') },
    ]);
    await writeServiceAddress(dataDir, { url: `http://127.0.0.1:${taken.port}`, token: 't', pid: 77 });
    expect(await listening(here(flags))).toMatchObject([
      { result: 'ok', found: expect.stringContaining('our own process 77') },
    ]);
  });

  test('a host that nobody knows is a problem, one that others can reach without tokens as well', async () => {
    expect(await listening(here({ 'http-host': 'nowhere.invalid' }))).toMatchObject([{ result: 'problem' }]);
    const open = await listening(here({ 'http-host': '0.0.0.0', 'http-port': '0' }));
    expect(open).toMatchObject([
      { result: 'problem', change: expect.stringContaining('http.tokens') },
      { result: 'ok' },
    ]);
  });

  test('a token file is read: absent, wrong and open to all are told, and no token is', async () => {
    const path = join(place, 'tokens.json');
    const look = () => tokenFile(here({ 'http-tokens': path }));
    expect(await look()).toMatchObject([{ result: 'problem', found: expect.stringContaining('ENOENT') }]);
    writeFileSync(path, '{"tokens":[{"name":"a","token":"canary-canary-canary","scopes":["reed"]}]}');
    const wrong = await look();
    expect(wrong).toMatchObject([
      { result: 'problem', found: expect.stringContaining('must be one of read, write, admin') },
    ]);
    writeFileSync(path, '{"tokens":[{"name":"a","token":"canary-canary-canary","scopes":["read"]}]}');
    chmodSync(path, 0o644);
    const wide = await look();
    expect(wide).toMatchObject([
      { result: 'ok', found: expect.stringContaining('1 tokens') },
      { result: 'warning', change: `take the right away: chmod go-rwx ${path}` },
    ]);
    chmodSync(path, 0o600);
    expect(await look()).toMatchObject([{ result: 'ok' }]);
    expect(JSON.stringify([wrong, wide])).not.toContain('canary');
  });

  test('an address that others can read is a problem', async () => {
    await writeServiceAddress(dataDir, { url: 'http://127.0.0.1:1', token: 'canary', pid: 77 });
    expect(await serviceFile(here())).toEqual([]);
    chmodSync(join(dataDir, 'service.json'), 0o644);
    const findings = await serviceFile(here());
    expect(findings).toMatchObject([{ result: 'problem', change: expect.stringContaining('chmod 600') }]);
    expect(JSON.stringify(findings)).not.toContain('canary');
  });
});
