import { join } from 'node:path';
import { type QueueAddress, type StoreAddress, showAddress } from '../../configuration/addresses.ts';
import { isPersistenceError, type PersistenceError } from '../../domain/errors.ts';
import type { ServiceStatus } from '../../ports/service.ts';
import { type Access, openAccess } from '../access.ts';
import type { QueueAdapter, StoreAdapter } from '../adapter.ts';
import { queueAdapters, storeAdapters } from '../adapters.ts';
import { nextSteps } from '../failure-text.ts';
import { openQueueIfExists, queueAddress, storeAddress } from '../open.ts';
import { type Check, type Examined, type Finding, ok, problem, warning } from './finding.ts';
import { lockHolder } from './lock-holder.ts';

/** Opens store and queue, or asks the process that has them open. */
export const data: Check = async (examined) => {
  const { values, logger } = examined;
  const store = storeAddress(values);
  if (store.kind === 'memory')
    return [warning('store', 'it lives in memory and ends with its process', 'name another with --store')];
  try {
    if (!(await storeExists(store, values))) {
      return [
        ok('store', `there is none at ${showAddress(store)} yet: the first worker makes it`),
        ...(await queueAlone(examined)),
      ];
    }
    await using access = await openAccess({ values, logger, purpose: 'status' });
    return judgeStatus(await access.service.status(), access.owner);
  } catch (error) {
    return [await failure(error, examined)];
  }
};

/** What lies elsewhere, as it is set up there. */
export const elsewhere: Check = async ({ values }) => {
  const store: StoreAdapter<StoreAddress> | undefined = storeAdapters[storeAddress(values).kind];
  const queue: QueueAdapter<QueueAddress> | undefined = queueAdapters[queueAddress(values).kind];
  const findings = await Promise.all([
    examined('store', store?.examine?.(storeAddress(values), values)),
    examined('queue', queue?.examine?.(queueAddress(values), values)),
  ]);
  return findings.flat();
};

async function examined(
  subject: string,
  looking: Promise<readonly Finding[]> | undefined,
): Promise<readonly Finding[]> {
  try {
    return (await looking) ?? [];
  } catch (error) {
    if (!isPersistenceError(error)) throw error;
    return [problem(subject, `${error.code}: ${error.message}`, nextSteps[error.code] ?? 'correct that')];
  }
}

function storeExists(address: StoreAddress, values: Examined['values']): Promise<boolean> {
  const adapter: StoreAdapter<StoreAddress> | undefined = storeAdapters[address.kind];
  return adapter?.exists(address, values) ?? Promise.resolve(false);
}

async function queueAlone({ values }: Examined): Promise<readonly Finding[]> {
  const address = queueAddress(values);
  await using queue = address.kind === 'memory' ? undefined : await openQueueIfExists(address, values);
  if (queue === undefined)
    return [ok('queue', `there is none at ${showAddress(address)} yet: the first publish makes it`)];
  return [ok('queue', `${queue.source}, ${queue.partitions} partitions, nothing of it is persisted yet`)];
}

/** What the status of a system that could be opened says about its health. */
export function judgeStatus(status: ServiceStatus, owner: Access['owner']): readonly Finding[] {
  const { store, queue, totals, mode, pid } = status;
  const through = owner === undefined ? '' : `, open in process ${pid} (${mode})`;
  const findings = [
    ok('store', `${store.kind} ${store.id}, layout ${store.layout_version}, ${totals.sessions} sessions${through}`),
  ];
  if (queue !== null)
    findings.push(
      ok('queue', `${queue.source}, ${queue.partitions.length} partitions, ${queue.lag} commands wait${through}`),
    );
  if (mode !== 'none' && !status.ready) {
    const change = 'look at its log, and at what else is found here';
    findings.push(
      warning('service', `it runs but is not ready: ${status.unready_because ?? 'nobody knows why'}`, change),
    );
  }
  const blocked = totals.halted + totals.refused + totals.waiting;
  if (blocked > 0) {
    const found = `${totals.halted} are halted, ${totals.refused} have a refused number, for ${totals.waiting} commands wait`;
    findings.push(warning('sessions', found, '`macp-persist sessions list --blocked --long` shows which, and why'));
  }
  return findings;
}

async function failure(error: unknown, { values }: Examined): Promise<Finding> {
  if (!isPersistenceError(error)) throw error;
  const subject = error.code.startsWith('QUEUE') ? 'queue' : 'store';
  const change = nextSteps[error.code] ?? 'correct that';
  // What makes it unsafe is told point by point, by whoever looks at it where it lies.
  if (error.code === 'QUEUE_UNSAFE')
    return problem(subject, 'QUEUE_UNSAFE: it is refused as it is set up', 'see below');
  if (error.code !== 'STORE_LOCKED' && error.code !== 'QUEUE_LOCKED')
    return problem(subject, `${error.code}: ${error.message}`, change);
  const holder = await holderOfLock(error, values);
  const who = holder === undefined ? 'another process' : `process ${holder.pid} (${holder.command})`;
  const found = `${who} has it open, and cannot be worked through: ${error.message}`;
  return problem(subject, found, `stop ${who}, or wait until it ends`);
}

/** Where the stores of one process keep their locks. */
const lockNames = { level: 'LOCK', rocksdb: 'LOCK', file: '.macp-persist/records/LOCK' } as const;

function holderOfLock({ code }: PersistenceError, values: Examined['values']): ReturnType<typeof lockHolder> {
  const queue = queueAddress(values);
  const store = storeAddress(values);
  if (code === 'QUEUE_LOCKED') return lockHolder('directory' in queue ? join(queue.directory, 'meta', 'LOCK') : '');
  return lockHolder('directory' in store ? join(store.directory, lockNames[store.kind]) : '');
}
