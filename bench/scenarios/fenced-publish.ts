import { join } from 'node:path';
import { openQueue, queueAddress } from '../../src/compose/open.ts';
import { commandId, type NumberedCommand } from '../../src/domain/command.ts';
import type { Epoch, Sequence, SessionId, Writer } from '../../src/domain/identifiers.ts';
import type { Queue } from '../../src/ports/queue.ts';
import { type Appended, compareAppends, redisAppended } from '../support/appends.ts';
import { benchDirectory, removeDirectory } from '../support/bare.ts';
import { kafkaUrl, makeTopic } from '../support/kafka-topic.ts';
import { openQueue as openEmbedded, valuesOf } from '../support/pipeline.ts';
import { startKafka } from '../support/services.ts';

const topic = 'commands';
/**
 * Appends of one entry each, acknowledged when durable, by a publisher that holds a name: embedded and on Kafka, beside
 * `RPUSH` to a redis-server with `appendfsync always`.
 */
export async function publishFenced(rounds: number): Promise<boolean> {
  const directory = await benchDirectory('fenced-publish');
  try {
    await using kafka = await startKafka(directory);
    await makeTopic(kafka.addresses(), topic);
    const values = valuesOf({ queue: kafkaUrl(kafka.addresses(), topic) });
    await using embedded = await fenced(await openEmbedded(join(directory, 'queue')));
    await using onKafka = await fenced(await openQueue(queueAddress(values), values));
    await using redis = await redisAppended(directory);
    await compareAppends(rounds, [
      ['embedded queue', embedded],
      ['kafka, a transaction a group', onKafka],
      ['redis-server, appendfsync always', redis],
    ]);
    return true;
  } finally {
    await removeDirectory(directory);
  }
}

/** A publisher with a name, as something to append to. */
async function fenced(queue: Queue): Promise<Appended> {
  const publisher = await queue.fencedPublisher?.('bench');
  if (publisher === undefined) throw new TypeError('this queue fences nobody');
  const last = new Map<string, number>();
  return {
    append(session, data) {
      const sequence = (last.get(session) ?? 0) + 1;
      last.set(session, sequence);
      return publisher.publish([appendOf(session as SessionId, sequence as Sequence, data)]);
    },
    [Symbol.asyncDispose]: () => queue.close(),
  };
}

const writer = '//bench/writer' as Writer;
const epoch = 1 as Epoch;

function appendOf(session: SessionId, sequence: Sequence, data: Uint8Array): NumberedCommand {
  const id = commandId(session, epoch, sequence);
  return { kind: 'numbered', type: 'macp.log.append.v1', session, writer, epoch, sequence, id, data };
}
