import { PersistenceError } from '../../../domain/errors.ts';
import { type BrokerFailure, isFailure } from './broker-link.ts';
import { givenUp, type Pauses, Persistence, type ProducerOptions } from './producer.ts';

const pauses: Pauses = { first: 1, longest: 200 };

/**
 * Resolves once readers of committed records get to these ends, by partition; to those of everything that is written now
 * where none are given. A commit is answered before they do: the partitions are told of it afterwards, and a transaction
 * of somebody else that is open may stand before it. Rejects with what stands in the way once the patience is over.
 */
export async function untilRead(
  options: ProducerOptions,
  ends?: ReadonlyMap<number, number>,
  persistence = new Persistence(options),
): Promise<void> {
  const { link } = options;
  let wanted = ends;
  const failure = await persistence.repeat(pauses, async () => {
    const known = wanted ?? (await link.ends('written'));
    if (isFailure(known)) return known;
    wanted = known;
    const read = await link.ends('latest');
    if (isFailure(read)) return read;
    const held = [...known].find(([partition, end]) => (read.get(partition) ?? 0) < end);
    return held === undefined ? undefined : heldUp(held[0]);
  });
  if (failure !== undefined) throw givenUp(failure);
}

function heldUp(partition: number): BrokerFailure {
  const message = `a transaction is open in partition ${partition}: what was committed behind it is read once that has ended`;
  return { asks: 'again', error: new PersistenceError('QUEUE_UNAVAILABLE', message) };
}
