import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Values } from '../configuration/settings.ts';
import { parseWriter, type Writer } from '../domain/identifiers.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { systemClock } from '../platform/system-clock.ts';
import type { Queue } from '../ports/queue.ts';
import type { ServiceStatus } from '../ports/service.ts';
import type { GatewayStatus } from '../ports/service-status.ts';
import type { SessionWatch } from '../ports/session-watch.ts';
import type { Store } from '../ports/store.ts';
import type { CommittedBatch } from '../ports/telemetry.ts';
import { StoreWatch } from '../read-side/store-watch.ts';
import type { Activity } from '../service/activity.ts';
import { LocalService } from '../service/local-service.ts';
import { createOperators, type OperatorsOptions } from '../service/operators.ts';
import { Publishing } from '../service/publishing.ts';
import { type Readiness, readStatus } from '../service/status.ts';
import { backupDirectory } from './open.ts';
import { packageVersion } from './version.ts';

/** What a service is made over. It belongs to whoever opened it. */
export interface ServiceParts {
  readonly values: Values;
  readonly logger: Logger;
  readonly mode: ServiceStatus['mode'];
  readonly store: Store;
  /** Undefined where nothing can be published. */
  readonly queue: Queue | undefined;
  /** Persists in this process; undefined where others do, or nobody. */
  readonly pipeline: Pipeline | undefined;
  /** What the pipeline has done; undefined where nobody asks. */
  readonly activity?: Activity | undefined;
  /** How the gateway is; undefined where there is none. */
  readonly gateway?: (() => GatewayStatus | undefined) | undefined;
  readonly readiness: () => Readiness;
}

/** Milliseconds that whoever decides waits for the outcome. */
const decisionTimeout = 10_000;

/** A service over what this process has open. */
export async function createLocalService(parts: ServiceParts): Promise<LocalService> {
  const { values, store, pipeline, queue } = parts;
  const watch = watchOf(parts);
  // A name that nobody else has: what it numbers is told apart from everything that came before.
  const writer = parseWriter(`//macp-persist/${randomUUID()}`);
  const publishing = queue === undefined ? undefined : new Publishing({ queue, watch, clock: systemClock, writer });
  const noteCommitted = ({ changes }: CommittedBatch): void => watch.noteCommitted(changes);
  pipeline?.on('committed', noteCommitted);
  return new LocalService({
    store,
    watch,
    clock: systemClock,
    cachedLogBytes: values['service.logCache'],
    publishing,
    operators: createOperators({ store, clock: systemClock, decisions: decisionsOf(parts, watch, writer) }),
    status: await statusOf(parts),
    backupDirectory: backupDirectory(values),
    release: async () => {
      pipeline?.off('committed', noteCommitted);
      await publishing?.close();
      await watch.close();
    },
  });
}

/** Woken by what is committed here; where others commit as well, the store is asked again and again. */
function watchOf({ store, pipeline }: ServiceParts): StoreWatch {
  return new StoreWatch({
    store,
    clock: systemClock,
    polls: pipeline === undefined || store.capabilities.shared,
  });
}

function decisionsOf(
  { queue, logger }: ServiceParts,
  watch: SessionWatch,
  source: Writer,
): OperatorsOptions['decisions'] {
  if (queue === undefined) return undefined;
  return {
    queue,
    watch,
    source,
    newId: randomUUID,
    timeout: decisionTimeout,
    onDecided: ({ kind, by, reason, type, result }) =>
      logger.info({ kind, by, reason, type, session: result.session_id, sequence: result.sequence }, 'decided'),
  };
}

async function statusOf(parts: ServiceParts): Promise<() => Promise<ServiceStatus>> {
  const { mode, store, queue, pipeline, activity, gateway, readiness } = parts;
  const version = await packageVersion();
  const startedAt = systemClock.now();
  return () =>
    readStatus({
      version,
      mode,
      process: mode === 'none' ? undefined : { pid: process.pid, startedAt },
      store,
      queue,
      worker: pipeline === undefined || activity === undefined ? undefined : { state: () => pipeline.state, activity },
      gateway: () => gateway?.(),
      readiness,
      memory: () => process.memoryUsage.rss(),
    });
}
