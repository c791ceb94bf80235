import type { PartitionStatus, ServiceStatus } from '../../ports/service.ts';
import type { Command } from '../command.ts';
import { onService } from '../on-service.ts';
import { describeCounts, describeRows } from '../rows.ts';
import { printSentence, printText } from '../safe-text.ts';

export const status: Command = onService(
  'status',
  {
    name: 'status',
    summary: 'What runs, how far it is, how fast, and what waits for a person',
    positionals: [],
    options: [],
    examples: [
      { line: 'status', meaning: 'Of the process that has the data open, or of the data where none runs' },
      { line: 'status --json | jq .queue.lag', meaning: 'How many commands wait to be persisted' },
    ],
  },
  async ({ service, output }) => {
    const found = await service.status();
    if (output.asJson) await output.json(found);
    else for (const line of describeStatus(found)) await output.line(line);
    return undefined;
  },
);

/** The status as lines for people. */
export function describeStatus(status: ServiceStatus): readonly string[] {
  const { totals, store } = status;
  return describeRows([
    ['version', status.version],
    ['runs', describeProcess(status)],
    ...readyRows(status),
    ...queueRows(status),
    ['store', `${store.kind} ${store.id}, layout ${store.layout_version}`],
    ...workerRows(status),
    ...gatewayRows(status),
    ['sessions', String(totals.sessions)],
    ['blocked', `${totals.halted} halted, ${totals.refused} with a refused number`],
    ['parked', `${totals.parked_commands} commands, ${totals.parked_bytes} bytes, of ${totals.waiting} sessions`],
    ['dead letters', describeCounts(totals.dead_letters)],
    ['decisions', String(totals.decisions)],
  ]);
}

type Rows = readonly (readonly [string, string])[];

function describeProcess({ mode, pid, started_at: startedAt, store }: ServiceStatus): string {
  if (mode !== 'none') return `${mode}, process ${pid}, since ${startedAt}`;
  return store.capabilities.shared ? 'not known here: any number of workers may share the store' : 'nothing';
}

function readyRows({ mode, ready, unready_because: because, store }: ServiceStatus): Rows {
  // Those who share a store are not found from here, and each tells for itself.
  if (mode === 'none' && store.capabilities.shared) return [];
  return [['ready', ready ? 'yes' : `no: ${printSentence(because ?? 'nobody knows why')}`]];
}

function queueRows({ queue }: ServiceStatus): Rows {
  if (queue === null) return [['queue', 'none']];
  return [
    ['queue', `${printText(queue.source)}, ${queue.partitions.length} partitions`],
    ['lag', `${queue.lag} commands${describeLags(queue.partitions)}`],
  ];
}

/** Most partitions that are named with their lag. */
const namedPartitions = 8;

/** By how much the partitions lag that do, the furthest behind first. */
function describeLags(partitions: readonly PartitionStatus[]): string {
  const lags = partitions
    .map(({ partition, end, persisted }) => ({ partition, lag: end - persisted }))
    .filter(({ lag }) => lag > 0)
    .sort((one, other) => other.lag - one.lag);
  const named = lags.slice(0, namedPartitions).map(({ partition, lag }) => `${lag} in partition ${partition}`);
  const more = lags.length - named.length;
  if (more > 0) named.push(`the rest in ${more} more`);
  return named.length === 0 ? '' : `: ${named.join(', ')}`;
}

function workerRows({ worker }: ServiceStatus): Rows {
  if (worker === null) return [];
  const { state, deliveries, commits, rate, since_commit_ms: sinceCommit } = worker;
  const latest = sinceCommit === null ? 'none yet' : `the latest ${(sinceCommit / 1000).toFixed(1)} s ago`;
  return [
    ['worker', `${state}, ${rate} commands a second`],
    ['persisted', `${deliveries} commands in ${commits} commits since it started, ${latest}`],
    ['memory', `${Math.round(worker.memory_bytes / 2 ** 20)} MiB`],
  ];
}

function gatewayRows({ gateway }: ServiceStatus): Rows {
  if (gateway === null) return [];
  return [['gateway', `${gateway.state}${gateway.address === null ? '' : `, at ${gateway.address}`}`]];
}
