import { Counter, Gauge, type Registry } from 'prom-client';
import { deadLetterReasons } from '../domain/plan.ts';
import type { StoreTotals } from '../domain/totals.ts';
import type { Clock } from '../ports/clock.ts';

/** How far a store has come in one partition: the next offset to be published, and the next to be persisted. */
export interface PartitionProgress {
  readonly end: number;
  readonly persisted: number;
}

/** Where to read how things stand: what a store holds, and how far it is behind its queue, by partition. */
export interface StandingSource {
  readonly totals: () => Promise<StoreTotals>;
  readonly lag: () => Promise<ReadonlyMap<number, PartitionProgress>>;
}

/** Milliseconds that a scrape waits for the store: one that hangs must not make the scrape fail. */
const patience = 1_000;

/**
 * Gauges of how things stand, read anew for every scrape. What cannot be read is absent from that scrape, rather than
 * old or 0, and counted.
 */
export function measureStanding(
  { totals, lag }: StandingSource,
  clock: Clock,
  registry: Registry,
): () => Promise<void> {
  const failures = new Counter({
    name: 'macp_persist_scrape_failures_total',
    help: 'Times that a scrape could not read how things stand: what it would have told is absent then.',
    labelNames: ['of'],
    registers: [registry],
  });
  const reading = <Read>(of: string, read: () => Promise<Read>, show: (found: Read | undefined) => void) => {
    failures.inc({ of }, 0);
    const readOnce = oneAtATime(read);
    return async () => {
      try {
        show(await within(patience, readOnce(), clock));
      } catch {
        failures.inc({ of });
        show(undefined);
      }
    };
  };
  const readings = [reading('totals', totals, totalsMetrics(registry)), reading('lag', lag, lagMetric(registry))];
  return async () => {
    await Promise.all(readings.map((read) => read()));
  };
}

function totalsMetrics(registry: Registry): (totals: StoreTotals | undefined) => void {
  const gauge = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Gauge({ name: `macp_persist_${name}`, help, labelNames, registers: [registry] });
  const sessions = gauge('sessions', 'Sessions that exist.');
  const blocked = gauge('blocked_sessions', 'Sessions that take nothing at present, by what blocks them.', ['by']);
  const commands = gauge('parked_commands', 'Commands that wait for an earlier one.');
  const bytes = gauge('parked_bytes', 'Bytes of data of the commands that wait.');
  const letters = gauge('dead_letters', 'Dead letters that the store keeps, resolved ones included.', ['reason']);
  const decisions = gauge('decisions', 'Decisions of operators that took effect.');
  return (totals) => {
    blocked.reset();
    letters.reset();
    if (totals === undefined) {
      for (const each of [sessions, commands, bytes, decisions]) each.remove();
      return;
    }
    sessions.set(totals.sessions);
    blocked.set({ by: 'conflict' }, totals.halted);
    blocked.set({ by: 'refusal' }, totals.refused);
    blocked.set({ by: 'gap' }, totals.waiting);
    commands.set(totals.parkedCommands);
    bytes.set(totals.parkedBytes);
    for (const reason of deadLetterReasons) letters.set({ reason }, totals.deadLetters[reason]);
    decisions.set(totals.decisions);
  };
}

function lagMetric(registry: Registry): (lag: ReadonlyMap<number, PartitionProgress> | undefined) => void {
  const gauge = new Gauge({
    name: 'macp_persist_lag_commands',
    help: 'Commands that are durable in the queue and not yet persisted.',
    labelNames: ['partition'],
    registers: [registry],
  });
  return (lag) => {
    gauge.reset();
    for (const [partition, { end, persisted }] of lag ?? []) gauge.set({ partition }, Math.max(0, end - persisted));
  };
}

/** Calls that come while one is under way share its result. */
function oneAtATime<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let running: Promise<Result> | undefined;
  return () => {
    running ??= work().finally(() => {
      running = undefined;
    });
    return running;
  };
}

/** Settles like `work`, but rejects after `milliseconds`. */
async function within<Result>(milliseconds: number, work: Promise<Result>, clock: Clock): Promise<Result> {
  const settled = new AbortController();
  const tooLate = clock.sleep(milliseconds, settled.signal).then(() => {
    throw new Error(`not settled after ${milliseconds} ms`);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    tooLate.catch(() => undefined);
    settled.abort();
  }
}
