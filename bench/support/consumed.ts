import { createLogger, Worker } from '../../src/compose/worker.ts';
import { type BareOptions, bareBatches } from './bare.ts';
import { keyedEntries, sessionIds } from './entries.ts';
import { valuesOf } from './pipeline.ts';

/** What a program did with a backlog. */
export interface Consumed {
  readonly commands: number;
  /** From the first delivery until the last command is done with: joining a group takes everybody as long. */
  readonly seconds: number;
}

/** What the bare loop writes, and where. */
export interface BareRequest {
  readonly commands: number;
  readonly sessions: number;
  readonly directory: string;
  readonly options: BareOptions;
}

/** `start`: of `performance.now()`, at the first delivery. */
export function consumed(commands: number, start: number | undefined): Consumed {
  return { commands, seconds: (performance.now() - (start ?? Number.NaN)) / 1000 };
}

/** Lets a worker with these settings persist all that waits in its queue. */
export async function persisted(settings: Readonly<Record<string, string>>): Promise<Consumed> {
  const values = valuesOf({ ...settings, 'log-level': 'error' });
  await using worker = await Worker.open({ values, logger: createLogger(values) });
  let start: number | undefined;
  worker.pipeline.once('taken', () => {
    start = performance.now();
  });
  const { tally } = await worker.runUntilCaughtUp(new AbortController().signal);
  return consumed(tally.applied, start);
}

/** The same entries in bare synced batches, with no queue before them. */
export async function written({ directory, options, sessions, commands }: BareRequest): Promise<Consumed> {
  const entries = keyedEntries(sessionIds(sessions), commands);
  const start = performance.now();
  return consumed(await bareBatches(directory, options, entries, 512), start);
}
