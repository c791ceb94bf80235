import type { StoreTotals } from '../domain/totals.ts';
import type { Queue } from '../ports/queue.ts';
import type { ServiceStatus, StoreDocument, TotalsDocument } from '../ports/service.ts';
import type { GatewayStatus } from '../ports/service-status.ts';
import type { Store } from '../ports/store.ts';
import type { PipelineState } from '../ports/telemetry.ts';
import type { Activity } from './activity.ts';
import { lagOf, readPartitions } from './lag.ts';

/** Whether a system can be used, and why not. */
export interface Readiness {
  readonly ready: boolean;
  readonly because: string | undefined;
}

/** What a system's status is read from. */
export interface StatusSource {
  readonly version: string;
  readonly mode: ServiceStatus['mode'];
  /** Undefined where nothing runs but the one who asks. */
  readonly process: { readonly pid: number; readonly startedAt: number } | undefined;
  readonly store: Store;
  readonly queue: Queue | undefined;
  readonly worker: { readonly state: () => PipelineState; readonly activity: Activity } | undefined;
  readonly gateway: () => GatewayStatus | undefined;
  readonly readiness: () => Readiness;
  /** Resident bytes of this process. */
  readonly memory: () => number;
}

export async function readStatus(source: StatusSource): Promise<ServiceStatus> {
  const { version, mode, store, queue, worker } = source;
  const { ready, because } = source.readiness();
  const partitions = queue === undefined ? [] : await readPartitions(queue, store);
  return {
    version,
    mode,
    pid: source.process?.pid ?? null,
    started_at: source.process === undefined ? null : new Date(source.process.startedAt).toISOString(),
    ready,
    unready_because: because ?? null,
    queue:
      queue === undefined
        ? null
        : {
            source: queue.source,
            capabilities: queueCapabilities(queue),
            partitions,
            lag: lagOf(partitions),
          },
    store: { ...storeDocument(store), capabilities: storeCapabilities(store) },
    totals: totalsDocument(await store.readTotals()),
    worker:
      worker === undefined
        ? null
        : {
            state: worker.state(),
            deliveries: worker.activity.deliveries,
            commits: worker.activity.commits,
            dead_letters: worker.activity.deadLetters,
            rate: Math.round(worker.activity.rate * 10) / 10,
            since_commit_ms: worker.activity.sinceCommit === undefined ? null : Math.round(worker.activity.sinceCommit),
            memory_bytes: source.memory(),
          },
    gateway: source.gateway() ?? null,
  };
}

/** Which store it is, as documents tell. */
export function storeDocument({ identity: { kind, id, layoutVersion } }: Store): StoreDocument {
  return { kind, id, layout_version: layoutVersion };
}

function queueCapabilities({ capabilities }: Queue): NonNullable<ServiceStatus['queue']>['capabilities'] {
  const { durable, replayable, positions, fencesWriters, knowsConsumed } = capabilities;
  return { durable, replayable, positions, fences_writers: fencesWriters, knows_consumed: knowsConsumed };
}

function storeCapabilities({ capabilities }: Store): ServiceStatus['store']['capabilities'] {
  const { durable, shared, atomicPositions, layout, backup } = capabilities;
  return { durable, shared, atomic_positions: atomicPositions, layout, backup };
}

function totalsDocument(totals: StoreTotals): TotalsDocument {
  const { sessions, halted, refused, waiting, parkedCommands, parkedBytes, deadLetters, decisions } = totals;
  return {
    sessions,
    halted,
    refused,
    waiting,
    parked_commands: parkedCommands,
    parked_bytes: parkedBytes,
    dead_letters: deadLetters,
    decisions,
  };
}
