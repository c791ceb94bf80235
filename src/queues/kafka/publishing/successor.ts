import type { DescribedTransaction, ProducerIdentity } from './transaction-requests.ts';

/** Where a transaction stands that the brokers gave up: for its age, or because somebody asked for an identity. */
const givenUp: ReadonlySet<string> = new Set(['PrepareAbort', 'CompleteAbort']);

/**
 * Whether somebody else has a transactional id now. Brokers that are asked to go on from an identity (KIP-360) compare
 * epochs only where no transaction is open: one of the successor they give up first, and shut the successor out as well
 * (Apache Kafka, `TransactionCoordinator.prepareInitProducerIdTransit`). So nobody whose successor can be seen may ask.
 *
 * The epoch that comes next need not be a successor's: it is that of a transaction which was given up for its age, and,
 * if an answer was lost (`mayHaveNext`), the one that was given here.
 */
export function hasSuccessor(own: ProducerIdentity, found: DescribedTransaction, mayHaveNext: boolean): boolean {
  const isSameProducer = found.producerId === own.producerId;
  if (isSameProducer && found.epoch === own.epoch) return false;
  // Where the epochs of a producer are used up, the next one is the first of another producer.
  const isNext = isSameProducer ? found.epoch === own.epoch + 1 : found.epoch === 0;
  return !(isNext && (givenUp.has(found.state) || (mayHaveNext && found.state === 'Empty')));
}
