import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { provideByPackages } from '../debian-packages.mjs';
import { Refusal } from '../project.mjs';
import { freePorts } from './ports.mjs';
import { startServer } from './server.mjs';

/** @import { ServerProcess } from './server.mjs' */

/**
 * A redis-server on this machine. It keeps its address and its data over stops and kills.
 *
 * @typedef {object} LocalRedis
 * @property {number} port of 127.0.0.1
 * @property {string} directory where its append-only file is
 * @property {() => Promise<void>} start resolves once it has loaded its data and serves; at once where it runs. A
 *   transaction that a kill tore apart is gone
 * @property {() => Promise<void>} stop with SIGTERM
 * @property {() => Promise<void>} kill with SIGKILL
 * @property {() => void} pause with SIGSTOP: nothing of it works any more when this returns
 * @property {() => void} resume with SIGCONT
 *
 * @typedef {object} RedisOptions
 * @property {string} directory where everything is kept; whoever gives it removes it
 * @property {Readonly<Record<string, string>>} [settings] of redis.conf, beside or instead of those here: every write
 *   is in the append-only file, and synced, before it is answered
 */

/** Makes sure that redis-server and redis-cli of at least version 7 are there. */
export async function provideRedis() {
  await provideByPackages({
    what: 'redis-server 7 or newer',
    purpose: 'Redis',
    packages: ['redis-server'],
    works: () =>
      Number(/v=(\d+)/.exec(spawnSync('redis-server', ['--version'], { encoding: 'utf8' }).stdout)?.[1]) >= 7,
  });
}

/**
 * Starts a redis-server at a free port of this machine, installing first what is missing.
 *
 * @param {RedisOptions} options
 * @returns {Promise<LocalRedis>}
 */
export async function startRedis({ directory, settings = {} }) {
  await provideRedis();
  mkdirSync(directory, { recursive: true });
  const [port = 0] = await freePorts(1);
  const all = {
    bind: '127.0.0.1',
    port: String(port),
    dir: directory,
    save: '',
    appendonly: 'yes',
    appendfsync: 'always',
    'repl-diskless-sync-delay': '0',
    ...settings,
  };
  const parameters = Object.entries(all).flatMap(([name, value]) => [`--${name}`, ...words(name, value)]);
  /** @type {ServerProcess | undefined} */
  let running;
  const start = async () => {
    if (running?.isRunning()) return;
    if (running !== undefined) cutTornTransaction(directory);
    running = await startServer({
      name: 'Redis',
      program: 'redis-server',
      parameters,
      ready: /Ready to accept connections/,
    });
  };
  await start();
  return {
    port: Number(all.port),
    directory,
    start,
    stop: async () => running?.stop(),
    kill: async () => running?.kill(),
    pause: () => running?.pause(),
    resume: () => running?.resume(),
  };
}

/**
 * Takes what a kill left of a transaction, or of the effects of a script, off the append-only file. Redis by itself only
 * cuts off the command that is torn (`aof-load-truncated yes`, fixed by https://github.com/valkey-io/valkey/pull/4342
 * there): what stands before it is not carried out at this start, but at the next one, together with what comes behind.
 *
 * @param {string} directory
 */
function cutTornTransaction(directory) {
  const manifest = join(directory, 'appendonlydir', 'appendonly.aof.manifest');
  if (!existsSync(manifest)) return;
  const { status, stdout } = spawnSync('redis-check-aof', ['--fix', manifest], { input: 'y\n', encoding: 'utf8' });
  if (status !== 0) throw new Refusal(`redis-check-aof could not mend ${manifest}:\n${stdout}`);
}

/**
 * A setting's value as words of the command line: `replicaof` and its like have several.
 *
 * @param {string} name
 * @param {string} value
 */
function words(name, value) {
  return name === 'dir' || value === '' ? [value] : value.split(' ');
}
