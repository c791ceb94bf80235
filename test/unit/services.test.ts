import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { root } from '../../scripts/project.mjs';
import { cached } from '../../scripts/services/cache.mjs';
import { brokerProperties, propertiesFile } from '../../scripts/services/kafka-properties.mjs';
import { freePorts } from '../../scripts/services/ports.mjs';
import { startServer } from '../../scripts/services/server.mjs';
import { prefixOf, type ServiceKind, shareService, withoutSecrets } from '../../scripts/services/shared.mjs';

/** What the process has used of its processors until now, in clock ticks. */
function processorTime(pid: number): number {
  const [, behindName = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const [user, system] = behindName.split(' ').slice(11, 13);
  return Number(user) + Number(system);
}

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'services-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await rm(directory, { recursive: true });
});

describe('ports', () => {
  test('are different, free, and none that a connection is given as its own', async () => {
    const ports = await freePorts(50);
    expect(new Set(ports).size).toBe(50);
    for (const port of ports) expect(port).toBeLessThan(32_768);
    const server = createServer().listen(ports[0], '127.0.0.1');
    await once(server, 'listening');
    server.close();
  });
});

describe('the cache', () => {
  beforeEach(() => {
    vi.stubEnv('XDG_CACHE_HOME', directory);
  });

  test('is filled once, however many ask for it at a time', async () => {
    let filled = 0;
    const fill = async (place: string): Promise<void> => {
      await writeFile(join(place, 'content'), String(filled));
      filled += 1;
    };
    const places = await Promise.all([cached('thing-1', fill), cached('thing-1', fill)]);
    const before = filled;
    expect(await cached('thing-1', fill)).toBe(places[0]);
    expect(filled).toBe(before);
    expect(places[0]).toBe(places[1]);
    expect(await readdir(join(directory, 'macp-persist'))).toEqual(['thing-1']);
  });

  test('holds nothing half: what could not be filled is not there', async () => {
    const fill = async (place: string): Promise<void> => {
      await writeFile(join(place, 'half'), '');
      throw new Error('the line went down');
    };
    await expect(cached('thing-1', fill)).rejects.toThrow('the line went down');
    expect(await readdir(join(directory, 'macp-persist'))).toEqual([]);
  });
});

describe('a server', () => {
  const node = (script: string) => ({ name: 'Server', program: process.execPath, parameters: ['-e', script] });
  const serving = node('console.log("ready"); setInterval(() => {}, 1000)');

  test('has started once it says so, and has ended once it was stopped or killed', async () => {
    for (const end of ['stop', 'kill'] as const) {
      const server = await startServer({ ...serving, ready: /^ready$/ });
      expect(server.isRunning()).toBe(true);
      await server[end]();
      expect(server.isRunning()).toBe(false);
      expect(() => process.kill(server.pid, 0)).toThrow();
    }
  });

  test('that hangs can be stopped all the same', async () => {
    const server = await startServer({ ...serving, ready: /^ready$/ });
    server.pause();
    await server.stop();
    expect(server.isRunning()).toBe(false);
  });

  test.runIf(process.platform === 'linux')('does nothing more once it is paused, until it goes on', async () => {
    const counting = node('let n = 0; const f = () => { console.log("ready", n += 1); setImmediate(f); }; f()');
    const server = await startServer({ ...counting, ready: /^ready 1$/ });
    server.pause();
    const used = processorTime(server.pid);
    await setTimeout(50);
    expect(processorTime(server.pid)).toBe(used);
    server.resume();
    await expect.poll(() => processorTime(server.pid)).toBeGreaterThan(used);
    await server.kill();
  });

  test('that ends before it is ready is told with its last words', async () => {
    const failing = node('console.log("one"); console.error("port taken"); process.exit(1)');
    await expect(startServer({ ...failing, ready: /^ready$/ })).rejects.toThrow(
      /Server ended before it was ready:[\s\S]*port taken/,
    );
  });

  test('ends with the process that started it, however that ends', async () => {
    const module = pathToFileURL(join(root, 'scripts/services/server.mjs')).href;
    const script = `
      const { startServer } = await import(${JSON.stringify(module)});
      const { pid } = await startServer({ ...${JSON.stringify(serving)}, ready: /^ready$/ });
      console.log(pid);
      setInterval(() => {}, 1000);`;
    const starter = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [pid] = await once(starter.stdout, 'data');
    starter.kill('SIGKILL');
    await once(starter, 'exit');
    if (process.platform === 'linux') await vi.waitUntil(() => !isAlive(Number(pid)), { timeout: 30_000 });
    else process.kill(Number(pid), 'SIGKILL');
  });
});

/** A zombie, which only waits for somebody to take note of its end, is dead. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('the settings of a broker', () => {
  const nodeOf = (id: number) => ({
    id,
    directory: `/data/${id}`,
    ports: { PLAINTEXT: 10 + id, SASL: 20 + id, CONTROLLER: 30 + id },
  });

  test('one broker needs nobody else', () => {
    expect(brokerProperties(nodeOf(1), [nodeOf(1)], [], {})).toMatchObject({
      'controller.quorum.voters': '1@127.0.0.1:31',
      listeners: 'PLAINTEXT://127.0.0.1:11,CONTROLLER://127.0.0.1:31',
      'advertised.listeners': 'PLAINTEXT://127.0.0.1:11',
      'offsets.topic.replication.factor': '1',
      'transaction.state.log.min.isr': '1',
    });
  });

  test('three brokers go on when one is away, and have the listeners that are asked for', () => {
    const nodes = [nodeOf(1), nodeOf(2), nodeOf(3)];
    const sasl = { name: 'SASL', protocol: 'SASL_SSL', properties: { 'ssl.client.auth': 'none' } } as const;
    expect(brokerProperties(nodeOf(2), nodes, [sasl], { 'node.id': '7' })).toMatchObject({
      'node.id': '7',
      'controller.quorum.voters': '1@127.0.0.1:31,2@127.0.0.1:32,3@127.0.0.1:33',
      'advertised.listeners': 'PLAINTEXT://127.0.0.1:12,SASL://127.0.0.1:22',
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,SASL:SASL_SSL,CONTROLLER:PLAINTEXT',
      'listener.name.sasl.ssl.client.auth': 'none',
      'offsets.topic.replication.factor': '3',
      'transaction.state.log.min.isr': '2',
    });
  });

  test('are written so that Java reads them as they were', () => {
    expect(propertiesFile({ a: 'C:\\x', b: 'two\nlines' })).toBe('a=C:\\\\x\nb=two\\nlines\n');
  });
});

describe('a shared service', () => {
  let log: string[];
  let kind: ServiceKind;
  const scratch = join(tmpdir(), 'macp-persist-test-AbCdEf');

  beforeEach(() => {
    vi.spyOn(console, 'log').mockImplementation(() => undefined);
    log = [];
    kind = {
      name: 'Redis',
      service: 'redis',
      variable: 'MACP_PERSIST_TEST_REDIS',
      address: (port) => `redis://127.0.0.1:${port}`,
      start: async () => ({ address: 'redis://here', close: async () => void log.push('stop') }),
      reach: async (address) => void log.push(`reach ${address}`),
      clean: async (address, prefix) => void log.push(`clean ${address} ${prefix}`),
    };
    vi.stubEnv(kind.variable, '');
  });

  /** Puts a `docker` first that writes down what it is told, and does what `script` says. */
  async function plantDocker(script: string): Promise<() => Promise<string[]>> {
    const programs = join(directory, 'bin');
    const told = join(directory, 'told');
    await mkdir(programs);
    await writeFile(join(programs, 'docker'), `#!/bin/sh\necho "$@" >> '${told}'\n${script}\n`);
    await chmod(join(programs, 'docker'), 0o755);
    vi.stubEnv('PATH', `${programs}${delimiter}${process.env['PATH']}`);
    return async () => (await readFile(told, 'utf8')).trim().split('\n');
  }

  test('that is given is taken, and only what is under the prefix of the run is removed afterwards', async () => {
    vi.stubEnv(kind.variable, 'redis://user:secret@there');
    const { origin, address, close } = await shareService(kind, scratch);
    expect({ origin, address }).toEqual({ origin: 'given', address: 'redis://user:secret@there' });
    await close();
    expect(log).toEqual([
      'reach redis://user:secret@there',
      'clean redis://user:secret@there macp-persist-test-AbCdEf-',
    ]);
    expect(vi.mocked(console.log).mock.calls.flat().join()).not.toContain('secret');
  });

  test('that is given and does not answer is refused, without its password', async () => {
    vi.stubEnv(kind.variable, 'redis://user:secret@there');
    const reach = async (): Promise<void> => {
      throw new Error('connect ECONNREFUSED');
    };
    await expect(shareService({ ...kind, reach }, scratch)).rejects.toThrow(
      'MACP_PERSIST_TEST_REDIS names redis://there, where no Redis answers: connect ECONNREFUSED',
    );
  });

  test('runs in Docker where that runs, and goes away with what it holds', async () => {
    const told = await plantDocker('exit 0');
    const { origin, address, close } = await shareService(kind, scratch);
    expect(origin).toBe('Docker Compose');
    expect(address).toMatch(/^redis:\/\/127\.0\.0\.1:[0-9]+$/);
    await close();
    const [info, version, up, down] = await told();
    expect([info, version]).toEqual(['info', 'compose version']);
    expect(up).toMatch(/^compose --file \S+compose\.yml --project-name \S+ up --detach --wait redis$/);
    expect(down).toMatch(/ down --volumes --timeout 5$/);
  });

  test('runs on this machine where Docker does not bring it up, and nothing of Docker is left', async () => {
    const told = await plantDocker('case "$*" in *" up "*) exit 1;; esac');
    const { origin, address, close } = await shareService(kind, scratch);
    expect({ origin, address }).toEqual({ origin: 'this machine', address: 'redis://here' });
    expect((await told()).at(-1)).toMatch(/ down --volumes/);
    await close();
    expect(log).toEqual(['stop']);
  });

  test('runs on this machine where Docker does not run', async () => {
    await plantDocker('exit 1');
    expect((await shareService(kind, scratch)).origin).toBe('this machine');
  });

  test('has a prefix that topics, groups and keys may have', () => {
    expect(prefixOf(scratch)).toMatch(/^[A-Za-z0-9._-]+$/);
    expect(withoutSecrets('redis://:secret@there:1/0')).toBe('redis://there:1/0');
  });
});
