import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openAccess } from '../../src/compose/access.ts';
import type { HostMode } from '../../src/compose/open-parts.ts';
import { ServiceHost } from '../../src/compose/service-host.ts';
import { loadConfiguration } from '../../src/compose/settings.ts';

const logger = pino({ level: 'silent' });

let directory = '';
let hosts: ServiceHost[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'macp-persist-owner-'));
  hosts = [];
});
afterEach(async () => {
  for (const host of hosts.reverse()) await host.close();
  rmSync(directory, { recursive: true });
});

function configurationOf(flags: Readonly<Record<string, string>>) {
  return loadConfiguration({
    flags: new Map(Object.entries({ 'http-port': '0', ...flags })),
    configFile: undefined,
    environment: {},
    workingDirectory: directory,
    mistakes: [],
  });
}

async function open(mode: HostMode, flags: Readonly<Record<string, string>>): Promise<ServiceHost> {
  const host = await ServiceHost.open({ configuration: await configurationOf(flags), mode, logger });
  hosts.push(host);
  return host;
}

async function storeSeenWith(flags: Readonly<Record<string, string>>): Promise<string> {
  const { values } = await configurationOf(flags);
  await using access = await openAccess({ values, logger, purpose: 'read' });
  return (await access.service.status()).store.id;
}

async function storeOf(host: ServiceHost): Promise<string> {
  const status = (await (await fetch(`${host.url}/v1/admin/status`)).json()) as { store: { id: string } };
  return status.store.id;
}

// One that serves a backup wrote its address over that of the process which owns the data directory: every command was
// answered out of the backup then, and by nobody once it had ended.
describe('a command works on the store that its settings name, whoever else runs', () => {
  test('while a backup is served beside the process that owns the data directory, and afterwards', async () => {
    const data = { 'data-dir': join(directory, 'data') };
    const owner = await open('start', data);
    const store = await storeOf(owner);
    // A copy has the identity of its store, so another store stands for it here.
    const elsewhere = await open('start', { 'data-dir': join(directory, 'other') });
    await elsewhere.close();
    const copy = { ...data, store: `level:${join(directory, 'other', 'level')}` };
    const served = await open('serve', copy);
    expect(await storeOf(served)).not.toBe(store);
    expect(await storeSeenWith(data)).toBe(store);
    await expect(storeSeenWith(copy)).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    await served.close();
    expect(await storeSeenWith(data)).toBe(store);
  });

  test('while another service listens where the owner did before it was killed', async () => {
    const data = { 'data-dir': join(directory, 'data') };
    const owner = await open('start', data);
    const file = join(directory, 'data', 'service.json');
    const other = await open('start', { 'data-dir': join(directory, 'other') });
    const left = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...left, url: other.url, pid: left.pid + 1 }));
    await expect(storeSeenWith(data)).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      message: expect.stringContaining('is gone'),
    });
    await owner.close();
  });
});
