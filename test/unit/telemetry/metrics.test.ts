import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { root } from '../../../scripts/project.mjs';
import { PersistenceError } from '../../../src/domain/errors.ts';
import { emptyTally } from '../../../src/domain/rule/tally.ts';
import type { StoreTotals } from '../../../src/domain/totals.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { GatewayEvents, GatewayState, PipelineEvents, PipelineState } from '../../../src/ports/telemetry.ts';
import { createMetrics, type Metrics, type MetricsOptions } from '../../../src/telemetry/metrics.ts';
import { familiesOf, misuseOf } from './exposition.ts';

const clock: Clock = {
  now: () => 1_700_000_000_500,
  elapsed: () => 0,
  sleep: (_, signal) => new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('over')))),
};

const totals: StoreTotals = {
  sessions: 12,
  halted: 1,
  refused: 2,
  waiting: 3,
  parkedCommands: 40,
  parkedBytes: 5_000,
  deadLetters: { ...emptyTally().deadLetters, conflict: 7 },
  decisions: 6,
};

class ScriptedPipeline extends EventEmitter<PipelineEvents> {
  state: PipelineState = 'running';
}

class ScriptedGateway extends EventEmitter<GatewayEvents> {
  state: GatewayState = 'catching up';
}

function open(options: Partial<MetricsOptions> = {}): {
  metrics: Metrics;
  pipeline: ScriptedPipeline;
  gateway: ScriptedGateway;
} {
  const pipeline = new ScriptedPipeline();
  const gateway = new ScriptedGateway();
  const lag = async () => new Map([[0, { end: 10, persisted: 4 }]]);
  const metrics = createMetrics({
    pipeline,
    gateway,
    totals: async () => totals,
    lag,
    clock,
    version: '1.2.3',
    ...options,
  });
  return { metrics, pipeline, gateway };
}

/** Every kind of event once. */
async function exercised(): Promise<{ text: string; metrics: Metrics }> {
  const { metrics, pipeline, gateway } = open();
  gateway.emit('request', 'RPUSH', 'answered', 3);
  gateway.emit('cut', 'it was late');
  const tally = { ...emptyTally(), applied: 5, duplicates: 2, parked: 1, claimed: 1 };
  tally.deadLetters.fenced = 3;
  pipeline.emit('committed', { deliveries: 12, bytes: 9_000, changes: [], tally, positions: [], milliseconds: 20 });
  const error = new PersistenceError('DISK_FULL', 'the disk is full');
  pipeline.emit('retrying', { error, attempt: 1, delayMilliseconds: 100 });
  metrics.observeRequest({ route: '/v1/sessions/:id', method: 'GET', status: 404, seconds: 0.004 });
  return { text: await metrics.text(), metrics };
}

test('what a worker and a gateway tell is counted', async () => {
  const { text, metrics } = await exercised();
  await using _ = metrics;
  for (const line of [
    'macp_persist_deliveries_total 12',
    'macp_persist_gateway_requests_total{command="RPUSH",answer="answered"} 1',
    'macp_persist_gateway_request_duration_seconds_bucket{le="0.005",command="RPUSH"} 1',
    'macp_persist_gateway_cuts_total 1',
    'macp_persist_gateway_state{state="catching up"} 1',
    'macp_persist_commands_total{outcome="applied"} 5',
    'macp_persist_commands_total{outcome="duplicate"} 2',
    'macp_persist_commands_total{outcome="parked"} 1',
    'macp_persist_commands_total{outcome="claim"} 1',
    'macp_persist_commands_total{outcome="skip"} 0',
    'macp_persist_commands_total{outcome="dead letter"} 3',
    'macp_persist_new_dead_letters_total{reason="fenced"} 3',
    'macp_persist_commit_duration_seconds_sum 0.02',
    'macp_persist_commit_duration_seconds_count 1',
    'macp_persist_commit_deliveries_bucket{le="16"} 1',
    'macp_persist_commit_size_bytes_sum 9000',
    'macp_persist_retries_total{code="DISK_FULL"} 1',
    'macp_persist_last_commit_timestamp_seconds 1700000000.5',
    'macp_persist_worker_state{state="running"} 1',
    'macp_persist_worker_state{state="failed"} 0',
    'macp_persist_build_info{version="1.2.3"} 1',
    'macp_persist_http_requests_total{route="/v1/sessions/:id",method="GET",status="404"} 1',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
});

test('how things stand is read anew for every scrape', async () => {
  let end = 10;
  const { metrics } = open({ lag: async () => new Map([[3, { end, persisted: 4 }]]) });
  await using _ = metrics;
  expect(await metrics.text()).toContain('\nmacp_persist_lag_commands{partition="3"} 6\n');
  end = 3;
  const text = await metrics.text();
  for (const line of [
    'macp_persist_lag_commands{partition="3"} 0',
    'macp_persist_sessions 12',
    'macp_persist_blocked_sessions{by="conflict"} 1',
    'macp_persist_blocked_sessions{by="refusal"} 2',
    'macp_persist_blocked_sessions{by="gap"} 3',
    'macp_persist_parked_commands 40',
    'macp_persist_parked_bytes 5000',
    'macp_persist_dead_letters{reason="conflict"} 7',
    'macp_persist_decisions 6',
    'macp_persist_scrape_failures_total{of="totals"} 0',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
});

test('a store that is down or hangs leaves its metrics out, never the scrape', async () => {
  let answers = true;
  let asked = 0;
  const { metrics } = open({
    clock: { ...clock, sleep: () => nextTurn() },
    totals: async () => {
      if (answers) return totals;
      throw new PersistenceError('STORE_UNAVAILABLE', 'gone');
    },
    lag: () => {
      asked += 1;
      return new Promise(() => undefined);
    },
  });
  await using _ = metrics;
  expect(await metrics.text()).toContain('\nmacp_persist_sessions 12\n');
  answers = false;
  const text = await metrics.text();
  expect(text).toContain('\nmacp_persist_scrape_failures_total{of="totals"} 1\n');
  expect(text).toContain('\nmacp_persist_scrape_failures_total{of="lag"} 2\n');
  expect(text).not.toMatch(
    /^macp_persist_(sessions|parked_\w+|dead_letters|decisions|lag_commands|blocked_sessions)\b/m,
  );
  expect(text).toContain('\nprocess_resident_memory_bytes ');
  // What hangs is not asked again and again.
  expect(asked).toBe(1);
});

test('before the first commit there is no time of one, and without a worker nothing of a worker', async () => {
  const { metrics } = open();
  await using _ = metrics;
  expect(await metrics.text()).not.toMatch(/^macp_persist_last_commit_timestamp_seconds /m);
  const { metrics: withoutWorker } = open({ pipeline: undefined, gateway: undefined });
  await using __ = withoutWorker;
  const text = await withoutWorker.text();
  expect(text).not.toContain('macp_persist_worker_state');
  expect(text).not.toContain('macp_persist_commit');
  expect(text).not.toContain('macp_persist_gateway');
});

test('nothing is shared between two, and one that is closed counts no more', async () => {
  const { metrics, pipeline, gateway } = open();
  const { metrics: other } = open();
  await using _ = other;
  const error = new PersistenceError('DISK_FULL', 'the disk is full');
  pipeline.emit('retrying', { error, attempt: 1, delayMilliseconds: 100 });
  expect(await other.text()).not.toContain('macp_persist_retries_total{');
  await metrics.close();
  await metrics.close();
  expect([...pipeline.eventNames(), ...gateway.eventNames()]).toEqual([]);
});

test('the text follows the exposition format, and names follow the conventions', async () => {
  const { text, metrics } = await exercised();
  await using _ = metrics;
  expect(metrics.contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
  const families = familiesOf(text);
  expect(families.filter(({ name }) => name.startsWith('macp_persist_')).length).toBeGreaterThan(15);
  // Those of the library keep the names that its dashboards know.
  expect(families.filter(({ name }) => name.startsWith('macp_persist_')).flatMap(misuseOf)).toEqual([]);
  for (const name of ['process_resident_memory_bytes', 'process_cpu_seconds_total', 'nodejs_eventloop_lag_p99_seconds'])
    expect(families.map((family) => family.name)).toContain(name);
});

test('misuse of the format is found', () => {
  expect(() => familiesOf('stray 1\n')).toThrow();
  expect(() => familiesOf('# HELP a b\n# TYPE a gauge\na{x=1} 1\n')).toThrow();
  expect(() => familiesOf('# HELP a b\n# TYPE a gauge\na 1\na 2\n')).toThrow();
  expect(() => familiesOf('# HELP a b\n# TYPE a gauge\na one\n')).toThrow();
  const [counter] = familiesOf('# HELP a_milliseconds b\n# TYPE a_milliseconds counter\na_milliseconds 1\n');
  expect(counter === undefined ? [] : misuseOf(counter)).toHaveLength(2);
});

test('docs/metrics.md tells every metric of ours', async () => {
  const { text, metrics } = await exercised();
  await using _ = metrics;
  const documented = readFileSync(join(root, 'docs/metrics.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const exposed = familiesOf(text)
    .filter(({ name }) => name.startsWith('macp_persist_'))
    .map(({ name, type, labels, help }) => [
      `\`${name}\``,
      type,
      labels.map((label) => `\`${label}\``).join(', '),
      help,
    ]);
  const byName = ([one = '']: readonly string[], [other = '']: readonly string[]) => (one < other ? -1 : 1);
  expect(documented.sort(byName)).toEqual(exposed.sort(byName));
});
