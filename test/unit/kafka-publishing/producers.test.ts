import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPersistenceError, PersistenceError } from '../../../src/domain/errors.ts';
import { batchRecords, type PlacedRecord } from '../../../src/queues/kafka/publishing/batches.ts';
import { IdempotentProducer } from '../../../src/queues/kafka/publishing/idempotent-producer.ts';
import type { Producer, ProducerOptions } from '../../../src/queues/kafka/publishing/producer.ts';
import { encodeRecordBody } from '../../../src/queues/kafka/publishing/record-body.ts';
import { positionOf } from '../../../src/queues/kafka/publishing/record-writer.ts';
import { TransactionalProducer } from '../../../src/queues/kafka/publishing/transactional-producer.ts';
import { untilRead } from '../../../src/queues/kafka/publishing/until-read.ts';
import { type Fate, HastyClock, SimulatedBrokers } from './simulated-brokers.ts';

const batchBytes = 200;
const partitions = 3;

function record(partition: number, value: string): PlacedRecord {
  const body = encodeRecordBody({ key: undefined, headers: [], value: Buffer.from(value, 'utf8') });
  return { partition, record: { timestamp: 1, body } };
}

function optionsFor(brokers: SimulatedBrokers, transactionalId?: string): ProducerOptions {
  const closing = new AbortController().signal;
  return { link: brokers.link(transactionalId), clock: new HastyClock(), patience: 2_000, closing };
}

const producers: readonly [string, (brokers: SimulatedBrokers) => Producer][] = [
  ['idempotent', (brokers) => new IdempotentProducer(optionsFor(brokers))],
  ['transactional', (brokers) => new TransactionalProducer(optionsFor(brokers, 'writer'))],
];

/** Requests fare as the fates say, over and over; an answer comes at last, unless they forbid it for ever. */
const fates = fc.array(fc.constantFrom<Fate>('answered', 'answered', 'request lost', 'answer lost', 'refused'), {
  minLength: 1,
  maxLength: 60,
});
const groups = fc.array(fc.array(fc.integer({ min: 0, max: partitions - 1 }), { minLength: 1, maxLength: 12 }), {
  minLength: 1,
  maxLength: 12,
});

describe.each(producers)('an %s producer', (_, make) => {
  test('writes what it says that it wrote, where it says, in order, whatever gets lost on the way', async () => {
    await fc.assert(
      fc.asyncProperty(groups, fates, async (layout, cycle) => {
        const brokers = new SimulatedBrokers();
        let turn = 0;
        brokers.fate = () => cycle[turn++ % cycle.length] ?? 'answered';
        const producer = make(brokers);
        const written: { partition: number; value: string }[] = [];
        for (const [number, group] of layout.entries()) {
          const records = group.map((partition, index) => record(partition, `${number}/${index}`));
          const { rounds, places } = await batchRecords(records, { batchBytes, codec: undefined });
          const outcome = await producer.write(rounds).then(
            () => 'written',
            (error: unknown) => error,
          );
          if (outcome !== 'written') {
            expect(isPersistenceError(outcome, 'QUEUE_UNAVAILABLE')).toBe(true);
            continue;
          }
          for (const [index, place] of places.entries()) {
            const { partition, offset } = positionOf(place);
            const value = `${number}/${index}`;
            expect(brokers.logs.get(partition)?.[offset]?.value).toBe(value);
            written.push({ partition, value });
          }
        }
        for (let partition = 0; partition < partitions; partition += 1) {
          const acknowledged = written.filter((one) => one.partition === partition).map(({ value }) => value);
          expect(isSubsequence(acknowledged, brokers.committed(partition))).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('gives up when its patience ends, and writes again once the brokers answer', async () => {
    const brokers = new SimulatedBrokers();
    const producer = make(brokers);
    await producer.open();
    brokers.fate = () => 'answer lost';
    const lost = await batchRecords([record(0, 'lost')], { batchBytes, codec: undefined });
    await expect(producer.write(lost.rounds)).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
    brokers.fate = () => 'answered';
    const next = await batchRecords([record(0, 'next')], { batchBytes, codec: undefined });
    await producer.write(next.rounds);
    expect(brokers.committed(0).filter((value) => value === 'next')).toEqual(['next']);
  });
});

describe('a transactional producer', () => {
  test('is shut out by a successor for good, and never shuts the successor out', async () => {
    const brokers = new SimulatedBrokers();
    const old = new TransactionalProducer(optionsFor(brokers, 'writer'));
    const first = await batchRecords([record(0, 'first')], { batchBytes, codec: undefined });
    await old.write(first.rounds);
    const successor = new TransactionalProducer(optionsFor(brokers, 'writer'));
    await successor.open();
    const stale = await batchRecords([record(0, 'stale')], { batchBytes, codec: undefined });
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await expect(old.write(stale.rounds)).rejects.toMatchObject({ code: 'WRITER_FENCED', retryable: false });
    }
    await expect(old.open()).rejects.toMatchObject({ code: 'WRITER_FENCED' });
    const second = await batchRecords([record(0, 'second')], { batchBytes, codec: undefined });
    await successor.write(second.rounds);
    expect(brokers.committed(0)).toEqual(['first', 'second']);
  });

  test('is shut out in the middle of a transaction: nothing of it is read', async () => {
    const brokers = new SimulatedBrokers();
    const link = brokers.link('writer');
    const successor = new TransactionalProducer(optionsFor(brokers, 'writer'));
    const old = new TransactionalProducer({
      ...optionsFor(brokers, 'writer'),
      link: {
        ...link,
        async endTransaction(identity, outcome) {
          await successor.open();
          return await link.endTransaction(identity, outcome);
        },
      },
    });
    const { rounds } = await batchRecords([record(0, 'stale')], { batchBytes, codec: undefined });
    await expect(old.write(rounds)).rejects.toMatchObject({ code: 'WRITER_FENCED' });
    expect(brokers.logs.get(0)?.map(({ value }) => value)).toContain('stale');
    expect(brokers.committed(0)).toEqual([]);
  });

  test('gives up what brokers forgot to end before it writes on, and readers get to the end', async () => {
    const brokers = new SimulatedBrokers();
    const producer = new TransactionalProducer(optionsFor(brokers, 'writer'));
    await producer.open();
    const one = await batchRecords([record(0, 'one'), record(1, 'one')], { batchBytes, codec: undefined });
    brokers.forgotten.add(0);
    await expect(producer.write(one.rounds)).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
    expect([brokers.committed(0), brokers.committed(1)]).toEqual([[], ['one']]);
    const two = await batchRecords([record(0, 'two'), record(1, 'two')], { batchBytes, codec: undefined });
    await producer.write(two.rounds);
    expect([brokers.committed(0), brokers.committed(1)]).toEqual([['two'], ['one', 'two']]);
  });

  test('settles although brokers forgot to end its transaction', async () => {
    const brokers = new SimulatedBrokers();
    const options = optionsFor(brokers, 'writer');
    const producer = new TransactionalProducer(options);
    await producer.open();
    const { rounds } = await batchRecords([record(0, 'one')], { batchBytes, codec: undefined });
    brokers.forgotten.add(0);
    await expect(producer.write(rounds)).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
    await producer.open();
    await untilRead(options);
    expect(brokers.committed(0)).toEqual([]);
  });

  test('that is shut out tells what is durable, what never will be, and what is open, whatever gets lost', async () => {
    const moment = fc.nat({ max: 40 });
    await fc.assert(
      fc.asyncProperty(groups, fates, moment, fc.boolean(), async (layout, cycle, arrival, rehearses) => {
        const brokers = new SimulatedBrokers();
        const successor = new TransactionalProducer(optionsFor(brokers, 'writer'));
        let turn = 0;
        let arrived: Promise<void> | undefined;
        brokers.fate = () => {
          turn += 1;
          if (turn === arrival) arrived = successor.open().catch(() => undefined);
          return cycle[turn % cycle.length] ?? 'answered';
        };
        const old = new TransactionalProducer(optionsFor(brokers, 'writer'));
        if (rehearses) await rehearsed(old).catch(() => undefined);
        const said = new Map<string, string>();
        for (const [number, group] of layout.entries()) {
          const { rounds } = await batchRecords(
            group.map((partition) => record(partition, `${number}`)),
            { batchBytes, codec: undefined },
          );
          const outcome = await old.write(rounds).then(
            () => 'durable',
            (error: unknown) => (isPersistenceError(error) ? error.code : String(error)),
          );
          said.set(`${number}`, outcome);
        }
        await arrived;
        brokers.fate = () => 'answered';
        // Where the successor came first, it was shut out itself: whoever comes last ends what is open.
        await new TransactionalProducer(optionsFor(brokers, 'writer')).open();
        const found = Array.from({ length: partitions }, (_, partition) => brokers.committed(partition)).flat();
        for (const [number, outcome] of said) {
          const count = found.filter((value) => value === number).length;
          if (outcome === 'durable') expect(count).toBe(layout[Number(number)]?.length);
          else if (outcome === 'WRITER_FENCED') expect(count).toBe(0);
          else expect(outcome).toBe('QUEUE_UNAVAILABLE');
        }
      }),
      { numRuns: 500 },
    );
  });

  test('that rehearses writes nothing, and leaves no transaction open, whatever gets lost', async () => {
    await fc.assert(
      fc.asyncProperty(fates, async (cycle) => {
        const brokers = new SimulatedBrokers();
        const before = await batchRecords([record(0, 'before')], { batchBytes, codec: undefined });
        await new TransactionalProducer(optionsFor(brokers, 'writer')).write(before.rounds);
        let turn = 0;
        brokers.fate = () => cycle[turn++ % cycle.length] ?? 'answered';
        const producer = new TransactionalProducer(optionsFor(brokers, 'writer'));
        const outcome = await rehearsed(producer).catch((error: unknown) => error);
        if (outcome !== undefined) expect(isPersistenceError(outcome, 'QUEUE_UNAVAILABLE')).toBe(true);
        brokers.fate = () => 'answered';
        const after = await batchRecords([record(0, 'after')], { batchBytes, codec: undefined });
        await producer.write(after.rounds);
        expect(brokers.committed(0)).toEqual(['before', 'after']);
      }),
      { numRuns: 200 },
    );
  });

  test('that was shut out before it rehearses finds that when it writes', async () => {
    const brokers = new SimulatedBrokers();
    const old = new TransactionalProducer(optionsFor(brokers, 'writer'));
    await old.open();
    await new TransactionalProducer(optionsFor(brokers, 'writer')).open();
    await old.rehearse([0]);
    const { rounds } = await batchRecords([record(0, 'stale')], { batchBytes, codec: undefined });
    await expect(old.write(rounds)).rejects.toMatchObject({ code: 'WRITER_FENCED' });
  });

  test('leaves no transaction open when it gives up', async () => {
    const brokers = new SimulatedBrokers();
    const link = brokers.link('writer');
    const producer = new TransactionalProducer({
      ...optionsFor(brokers, 'writer'),
      link: {
        ...link,
        endTransaction: async () => ({ asks: 'again', error: new PersistenceError('QUEUE_UNAVAILABLE', 'no answer') }),
      },
    });
    const { rounds } = await batchRecords([record(0, 'given up')], { batchBytes, codec: undefined });
    await expect(producer.write(rounds)).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
    expect(brokers.logs.get(0)?.map(({ transaction }) => transaction)).not.toContain('open');
  });
});

async function rehearsed(producer: TransactionalProducer): Promise<void> {
  await producer.open();
  await producer.rehearse(Array.from({ length: partitions }, (_, partition) => partition));
}

function isSubsequence(part: readonly string[], whole: readonly string[]): boolean {
  let found = 0;
  for (const value of whole) if (value === part[found]) found += 1;
  return found === part.length;
}
