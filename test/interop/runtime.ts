import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { freePorts } from '../../scripts/services/ports.mjs';
import { cleanEnvironment } from '../support/program.ts';
import type { Release } from './releases.ts';
import { RuntimeClient } from './runtime-client.ts';
import type { UpstreamPlace } from './storage-program.ts';

export interface RuntimeOptions {
  readonly release: Release;
  readonly store: UpstreamPlace;
  /** What its clock shows when it starts, in milliseconds since 1970: recorded sessions do not stay open for ever. */
  readonly startedAt: number;
  /** Its clock goes on showing that, so that what it writes depends on what it is told alone. */
  readonly clockStands?: boolean;
  /** Variables of its environment beside those given here. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** It was started, and ended before it served. The message holds everything that it said. */
export class RuntimeEnded extends Error {}

/** An unmodified macp-runtime that has recovered its sessions and serves. */
export class RunningRuntime implements AsyncDisposable {
  readonly client: RuntimeClient;
  readonly #port: number;
  /** What it has logged until now. */
  readonly log: readonly string[];
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, log: readonly string[], port: number) {
    this.#process = process;
    this.log = log;
    this.#port = port;
    this.client = new RuntimeClient(port);
  }

  /** Rejects with {@link RuntimeEnded} where it does not start. */
  static async start(options: RuntimeOptions): Promise<RunningRuntime> {
    const [port = 0] = await freePorts(1);
    const program = provided(`MACP_PERSIST_TEST_RUNTIME_${options.release.replaceAll('.', '_')}`);
    const started = spawn(program, {
      env: {
        ...cleanEnvironment,
        ...storeVariables(options.store),
        ...clock(options),
        MACP_ALLOW_INSECURE: '1',
        MACP_BIND_ADDR: `127.0.0.1:${port}`,
        // It gives up at once where it cannot recover a session, and forgets none that ended long ago.
        MACP_STRICT_RECOVERY: '1',
        MACP_SESSION_RETENTION_SECS: '4000000000',
        MACP_SESSION_START_LIMIT_PER_MINUTE: '1000000',
        MACP_MESSAGE_LIMIT_PER_MINUTE: '1000000',
        ...options.environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const log: string[] = [];
    for (const input of [started.stdout, started.stderr]) {
      createInterface({ input }).on('line', (line) => log.push(stripVTControlCharacters(line)));
    }
    const ended = new AbortController();
    started.on('error', (error) => ended.abort(error));
    started.on('close', (code) => ended.abort(new RuntimeEnded(`macp-runtime ended with ${code}:\n${log.join('\n')}`)));
    for (;;) {
      ended.signal.throwIfAborted();
      // What it says last before it serves: all that it says of its start was heard then.
      if (log.some((line) => /macp-runtime v\S+ listening/.test(line)) && (await listens(port))) break;
      await delay(20);
    }
    return new RunningRuntime(started, log, port);
  }

  /** How many sessions it said it has recovered. It says nothing where there were none. */
  get recovered(): number {
    const counts = this.log.flatMap((line) => /replayed sessions from log.*count=(\d+)/.exec(line)?.[1] ?? []);
    return Number(counts[0] ?? 0);
  }

  /** Ends it as a service manager does; it saves the sessions that it has in memory. */
  async stop(): Promise<void> {
    await this.#end('SIGINT');
  }

  /** Another connection to it. */
  connect(): RuntimeClient {
    return new RuntimeClient(this.#port);
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'close');
    this.#process.kill(signal);
    await ended;
  }
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function storeVariables({ layout, place }: UpstreamPlace): Readonly<Record<string, string>> {
  const backend = { MACP_STORAGE_BACKEND: layout };
  switch (layout) {
    case 'file':
      return { ...backend, MACP_DATA_DIR: place };
    case 'rocksdb':
      return { ...backend, MACP_ROCKSDB_PATH: place };
    case 'redis':
      return { ...backend, MACP_REDIS_URL: place.slice(0, place.indexOf(' ')) };
  }
}

/** Sets the wall clock of a process, and leaves the one that timers go by. */
function clock({ startedAt, clockStands = false }: RuntimeOptions): Readonly<Record<string, string>> {
  const shown = new Date(startedAt).toISOString().slice(0, 19).replace('T', ' ');
  return {
    LD_PRELOAD: provided('MACP_PERSIST_TEST_FAKETIME'),
    FAKETIME: clockStands ? shown : `@${shown}`,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    TZ: 'UTC',
  };
}

function provided(variable: string): string {
  const value = process.env[variable];
  if (value === undefined) throw new Error(`${variable} is not set: npm run test:interop sets it`);
  return value;
}
