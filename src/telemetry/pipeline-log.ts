import type { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import { deadLetterCount } from '../domain/rule/tally.ts';
import type { QueuedDelivery, QueueEventSource } from '../ports/queue.ts';
import type { PipelineEvents } from '../ports/telemetry.ts';

/**
 * Writes what a pipeline tells about itself to a pino logger: takes and commits at debug, state changes at info, retries and
 * dead letters at warn, the end of everything at error. Data and messages of commands never reach the log.
 */
export function logPipeline(pipeline: EventEmitter<PipelineEvents>, logger: Logger): void {
  pipeline.on('state', (from, to) => logger.info({ from, to }, 'worker state'));
  pipeline.on('taken', (deliveries) => {
    if (!logger.isLevelEnabled('debug')) return;
    logger.debug({ deliveries: deliveries.length, offsets: stretchesOf(deliveries) }, 'taken');
  });
  pipeline.on('committed', ({ deliveries, bytes, changes, tally, positions, milliseconds }) => {
    if (!logger.isLevelEnabled('debug')) return;
    const deadLetters = deadLetterCount(tally);
    const { applied, duplicates, parked } = tally;
    const sessions = changes.length;
    const next = Object.fromEntries(positions.map(({ partition, to }) => [partition, to.next]));
    logger.debug(
      { deliveries, bytes, sessions, applied, duplicates, parked, deadLetters, milliseconds, next },
      'committed',
    );
  });
  pipeline.on('deadLetter', ({ id, reason, detail, session, epoch, writer, sequence, position }) => {
    logger.warn({ id, reason, detail, session, epoch, writer, sequence, position }, 'dead letter');
  });
  pipeline.on('retrying', ({ error, attempt, delayMilliseconds }) => {
    logger.warn(
      { code: error.code, reason: error.message, attempt, delayMilliseconds },
      'the store is not ready; trying again',
    );
  });
  pipeline.on('recovered', (attempts) => logger.info({ attempts }, 'the store is ready again'));
  pipeline.on('interrupted', () => logger.warn('another worker was faster, or the queue gave up: starting again'));
  pipeline.on('failed', (error) => logger.error({ code: error.code, err: error }, 'the worker failed'));
}

/** Writes what a queue goes through by itself to a pino logger. */
export function logQueue(queue: QueueEventSource, logger: Logger): void {
  queue.on('unavailable', ({ code, message }) => {
    logger.warn({ code, reason: message }, 'the queue does not answer; trying again');
  });
  queue.on('available', (milliseconds) => logger.info({ milliseconds }, 'the queue answers again'));
  queue.on('assigned', (partitions) => logger.info({ partitions }, 'working on these partitions'));
  queue.on('revoked', (partitions) => logger.info({ partitions }, 'working on these partitions no more'));
}

/** First and last offset by partition; within a partition deliveries are in order. */
function stretchesOf(deliveries: readonly QueuedDelivery[]): Readonly<Record<number, readonly [number, number]>> {
  const stretches: Record<number, readonly [number, number]> = {};
  for (const { position } of deliveries) {
    const [first = position.offset] = stretches[position.partition] ?? [];
    stretches[position.partition] = [first, position.offset];
  }
  return stretches;
}
