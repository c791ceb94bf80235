import type { AssignmentHandler } from '../../../ports/queue.ts';
import { openOrClose } from '../../open-or-close.ts';
import { consumerOptions, type KafkaConsumerOptions } from './consumer-options.ts';
import { KafkaConsumer } from './kafka-consumer.ts';

/**
 * Joins the group and starts to consume. Resolves once the group has assigned partitions, maybe none as yet, and the
 * brokers are known to hold the positions that the handler started them at. Rejects with `SOURCE_LOST_HISTORY` where
 * they do not, `GROUP_CONFLICT` for another store than the rest of the group fills, `QUEUE_UNSAFE` for another count of
 * partitions, `QUEUE_UNAVAILABLE` when the brokers do not answer for some seconds, `QUEUE_CLOSED` once `signal` is
 * aborted, and with what the handler throws.
 */
export function openKafkaConsumer(
  options: KafkaConsumerOptions,
  handler: AssignmentHandler,
  signal?: AbortSignal,
): Promise<KafkaConsumer> {
  return openOrClose(new KafkaConsumer(consumerOptions(options), handler), signal);
}
