import type { EventEmitter } from 'node:events';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { deadLetterReasons, type Tally } from '../domain/plan.ts';
import { deadLetterCount } from '../domain/rule/tally.ts';
import type { Clock } from '../ports/clock.ts';
import type { CommittedBatch, PipelineEvents, PipelineState, Retrying } from '../ports/telemetry.ts';

/** A pipeline, as far as it is measured. */
export type MeasuredPipeline = Pick<EventEmitter<PipelineEvents>, 'on' | 'off'> & { readonly state: PipelineState };

const states: readonly PipelineState[] = ['idle', 'running', 'waiting', 'stopping', 'stopped', 'failed'];

/** What became of commands, by the names that metrics give it. */
const outcomes: Readonly<Record<string, (tally: Tally) => number>> = {
  applied: ({ applied }) => applied,
  duplicate: ({ duplicates }) => duplicates,
  parked: ({ parked }) => parked,
  claim: ({ claimed }) => claimed,
  skip: ({ skipped }) => skipped,
  'dead letter': deadLetterCount,
};

/** Counts what a pipeline tells about itself. Returns what ends that. */
export function measurePipeline(pipeline: MeasuredPipeline, clock: Clock, registry: Registry): () => void {
  const noteCommitted = committedMetrics(clock, registry);
  const noteRetrying = retryMetrics(registry);
  pipeline.on('committed', noteCommitted).on('retrying', noteRetrying);
  stateMetric(pipeline, registry);
  return () => pipeline.off('committed', noteCommitted).off('retrying', noteRetrying);
}

function committedMetrics(clock: Clock, registry: Registry): (batch: CommittedBatch) => void {
  const registers = [registry];
  const deliveries = new Counter({
    name: 'macp_persist_deliveries_total',
    help: 'Deliveries taken from the queue and committed.',
    registers,
  });
  const commands = new Counter({
    name: 'macp_persist_commands_total',
    help: 'What became of commands; one that was parked is counted again when it is taken out.',
    labelNames: ['outcome'],
    registers,
  });
  const letters = new Counter({
    name: 'macp_persist_new_dead_letters_total',
    help: 'Dead letters made since the start.',
    labelNames: ['reason'],
    registers,
  });
  const seconds = new Histogram({
    name: 'macp_persist_commit_duration_seconds',
    help: 'From handing a batch to the store until it was durable; its count is that of commits.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const size = new Histogram({
    name: 'macp_persist_commit_deliveries',
    help: 'Deliveries that one commit took.',
    buckets: [1, 4, 16, 64, 256, 1_024, 4_096, 16_384],
    registers,
  });
  const bytes = new Histogram({
    name: 'macp_persist_commit_size_bytes',
    help: 'Bytes of deliveries that one commit took, as the queue counts them.',
    buckets: [1_024, 16_384, 131_072, 1_048_576, 4_194_304, 8_388_608, 16_777_216],
    registers,
  });
  const latest = new Gauge({
    name: 'macp_persist_last_commit_timestamp_seconds',
    help: 'When the last commit was durable, in seconds since 1970; absent before the first.',
    registers,
  });
  // A gauge without labels starts at 0, which would read as a commit in 1970.
  latest.remove();
  for (const outcome of Object.keys(outcomes)) commands.inc({ outcome }, 0);
  for (const reason of deadLetterReasons) letters.inc({ reason }, 0);
  return (batch) => {
    deliveries.inc(batch.deliveries);
    for (const [outcome, count] of Object.entries(outcomes)) commands.inc({ outcome }, count(batch.tally));
    for (const reason of deadLetterReasons) letters.inc({ reason }, batch.tally.deadLetters[reason]);
    seconds.observe(batch.milliseconds / 1000);
    size.observe(batch.deliveries);
    bytes.observe(batch.bytes);
    latest.set(clock.now() / 1000);
  };
}

function retryMetrics(registry: Registry): (retrying: Retrying) => void {
  const retries = new Counter({
    name: 'macp_persist_retries_total',
    help: 'Attempts that failed and were made again, by the error code.',
    labelNames: ['code'],
    registers: [registry],
  });
  return ({ error }) => retries.inc({ code: error.code });
}

function stateMetric(pipeline: MeasuredPipeline, registry: Registry): void {
  new Gauge({
    name: 'macp_persist_worker_state',
    help: '1 for the state that the worker is in, 0 for all others.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      for (const state of states) this.set({ state }, state === pipeline.state ? 1 : 0);
    },
  });
}
