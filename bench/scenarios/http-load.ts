import { join } from 'node:path';
import type { LogLoad, LogLoadRequest } from '../http/log-load-program.ts';
import { benchDirectory, removeDirectory } from '../support/bare.ts';
import { alternate, median, report } from '../support/contest.ts';
import { fillQueue, openQueue, openStore, worker } from '../support/pipeline.ts';
import { type RunningServer, runProgram, startServer, startService } from '../support/programs.ts';

const entries = 100;
const connections = 16;
const seconds = 4;

/**
 * Loads of logs of 100 entries over HTTP from `macp-persist start`, beside a bare Fastify route that returns the same
 * bytes from memory. Each server and the load is a process of its own. `cached` sessions fit into the service's cache
 * of logs with its default size; all `sessions` do not, so that the service reads each log from its store then.
 */
export async function loadLogs(rounds: number, cached = 200, sessions = 1_000): Promise<boolean> {
  const directory = await benchDirectory('http-load');
  try {
    await fillStore(directory, sessions);
    // The limit is kept account of, and not met.
    await using service = await startService(directory, ['--http-maximum-rate', '1000000']);
    await using bare = await startServer('http/bare-server', { url: service.url, sessions });
    const servers = { service, bare };
    const met = await compare(`${cached} sessions, logs in the cache`, rounds, cached, servers, 0.5);
    await compare(`${sessions} sessions, logs that no cache holds`, rounds, sessions, servers);
    return met;
  } finally {
    await removeDirectory(directory);
  }
}

async function fillStore(directory: string, sessions: number): Promise<void> {
  await using queue = await openQueue(join(directory, 'queue'));
  await using store = await openStore(join(directory, 'level'));
  await fillQueue(queue, sessions, sessions * entries);
  await worker(queue, store).runUntilCaughtUp();
}

async function compare(
  title: string,
  rounds: number,
  sessions: number,
  { service, bare }: { readonly service: RunningServer; readonly bare: RunningServer },
  atLeast?: number,
): Promise<boolean> {
  const ours = loaded('macp-persist start', service, sessions);
  const theirs = loaded('bare Fastify route, same bytes from memory', bare, sessions);
  // Untimed: both are warm, and the cache is filled, before they are measured.
  await ours.rate();
  await theirs.rate();
  ours.loads.length = 0;
  theirs.loads.length = 0;
  const met = report(
    `Loads of ${entries}-entry logs over HTTP: ${title}`,
    'requests',
    await alternate(rounds, [ours, theirs]),
    atLeast,
  );
  for (const { name, loads } of [ours, theirs]) console.log(`  ${name.padEnd(44)} ${latencies(loads)}`);
  return met;
}

/** A server under load, with what was seen of it. */
function loaded(name: string, { url }: RunningServer, sessions: number) {
  const loads: LogLoad[] = [];
  const request: LogLoadRequest = { url, sessions, connections, seconds };
  const rate = async (): Promise<number> => {
    const load = await runProgram<LogLoad>('http/log-load', request);
    loads.push(load);
    return load.requestsPerSecond;
  };
  return { name, loads, rate };
}

function latencies(loads: readonly LogLoad[]): string {
  const [middle, p99, bytes] = (['median', 'p99', 'bytesPerRequest'] as const).map((what) =>
    median(loads.map((load) => load[what])),
  );
  return `median ${middle?.toFixed(2)} ms, p99 ${p99?.toFixed(2)} ms, ${bytes?.toFixed(0)} bytes a request`;
}
