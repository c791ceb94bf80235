import { join } from 'node:path';
import { openQueue, queueAddress } from '../../src/compose/open.ts';
import { commandId, type NumberedCommand } from '../../src/domain/command.ts';
import type { Epoch, Sequence, SessionId, Writer } from '../../src/domain/identifiers.ts';
import type { Queue } from '../../src/ports/queue.ts';
import { type Appended, type AppendTimes, redisAppended, timeAppends } from '../support/appends.ts';
import { benchDirectory, removeDirectory } from '../support/bare.ts';
import { median } from '../support/contest.ts';
import { entryPool, sessionIds } from '../support/entries.ts';
import { kafkaUrl, makeTopic } from '../support/kafka-topic.ts';
import { tellLatencies } from '../support/latencies.ts';
import { openQueue as openEmbedded, valuesOf } from '../support/pipeline.ts';
import { startKafka } from '../support/services.ts';

const topic = 'commands';
/** How many are in flight, and how many are appended in a round. */
const loads = [
  [1, 400],
  [16, 4_000],
  [256, 25_000],
] as const;

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
    const contestants: readonly (readonly [string, Appended])[] = [
      ['embedded queue', embedded],
      ['kafka, a transaction a group', onKafka],
      ['redis-server, appendfsync always', redis],
    ];
    const sessions = sessionIds(5_000);
    const entries = entryPool(4096);
    for (const [inFlight, count] of loads) {
      const times = contestants.map(([name, appended]) => ({ name, appended, rounds: [] as AppendTimes[] }));
      for (let round = 0; round < rounds; round += 1) {
        for (const each of round % 2 === 0 ? times : [...times].reverse()) {
          each.rounds.push(await timeAppends(each.appended, sessions, entries, count, inFlight));
        }
      }
      console.log(`\nAppending one entry, ${inFlight} in flight, milliseconds`);
      for (const each of times) {
        tellLatencies(each.name, each.rounds);
        console.log(`  ${''.padEnd(44)} ${median(each.rounds.map(({ perSecond }) => perSecond)).toFixed(0)} entries/s`);
      }
    }
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
