import { resolve } from 'node:path';
import type { Logger } from 'pino';
import type { Values } from '../configuration/settings.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { systemClock } from '../platform/system-clock.ts';
import type { Queue } from '../ports/queue.ts';
import type { ServiceStatus } from '../ports/service.ts';
import type { Store } from '../ports/store.ts';
import { StoreWatch } from '../read-side/store-watch.ts';
import type { Activity } from '../service/activity.ts';
import { LocalService } from '../service/local-service.ts';
import { type Readiness, readStatus } from '../service/status.ts';
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
  readonly readiness: () => Readiness;
}

/** A service over what this process has open. */
export async function createLocalService(parts: ServiceParts): Promise<LocalService> {
  const { values, store, pipeline } = parts;
  const watch = new StoreWatch({
    store,
    clock: systemClock,
    polls: pipeline === undefined || store.capabilities.shared,
  });
  pipeline?.on('committed', ({ changes }) => watch.noteCommitted(changes));
  const unsupported = async (): Promise<never> => {
    throw new PersistenceError('NOT_SUPPORTED', 'not yet');
  };
  const status = await statusOf(parts);
  return new LocalService({
    store,
    watch,
    clock: systemClock,
    publishing: undefined,
    operators: { listDeadLetters: unsupported, showDeadLetter: unsupported, skip: unsupported, repair: unsupported },
    status,
    backupDirectory: resolve(values['service.backupDirectory'] ?? resolve(values.dataDir, 'backups')),
    release: () => watch.close(),
  });
}

async function statusOf(parts: ServiceParts): Promise<() => Promise<ServiceStatus>> {
  const { mode, store, queue, pipeline, activity, readiness } = parts;
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
      readiness,
      memory: () => process.memoryUsage.rss(),
    });
}
