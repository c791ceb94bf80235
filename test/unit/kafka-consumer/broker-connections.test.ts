import { KafkaJSProtocolError } from 'kafkajs';
import { expect, test } from 'vitest';
import { PersistenceError } from '../../../src/domain/errors.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { KafkaCluster } from '../../../src/queues/kafka/connection/cluster.ts';
import { BrokerConnections } from '../../../src/queues/kafka/consumer/broker-connections.ts';
import { Outage } from '../../../src/queues/outage.ts';

/** What a cluster of the library does, as far as connections use it. */
interface FakeCluster {
  isClosed: boolean;
  readonly closing: (() => void)[];
}

function connections(connect: () => Promise<void> = async () => undefined) {
  const opened: FakeCluster[] = [];
  const subject = new BrokerConnections({
    clock: systemClock,
    topicName: 'commands',
    requestTimeout: 30,
    openCluster: () => {
      const cluster: FakeCluster = { isClosed: false, closing: [] };
      opened.push(cluster);
      const used = {
        ...cluster,
        connect,
        addTargetTopic: async () => undefined,
        close: async () => {
          cluster.isClosed = true;
          for (const end of cluster.closing) end();
        },
        closing: cluster.closing,
      };
      return used as unknown as KafkaCluster;
    },
  });
  return { subject, opened };
}

const closed = new PersistenceError('QUEUE_CLOSED', 'closed');

test('one set of connections serves every question, also those that a broker refuses', async () => {
  const { subject, opened } = connections();
  expect(await subject.ask('asking', async () => 1)).toBe(1);
  const refused = new KafkaJSProtocolError('REBALANCE_IN_PROGRESS');
  Object.assign(refused, { type: 'REBALANCE_IN_PROGRESS', code: 27 });
  await expect(subject.ask('asking', () => Promise.reject(refused))).rejects.toBe(refused);
  expect(await subject.ask('asking', async () => 2)).toBe(2);
  expect(opened.map(({ isClosed }) => isClosed)).toEqual([false]);
});

test('a failed connection, and an answer that does not come, are abandoned for new connections', async () => {
  const { subject, opened } = connections();
  await expect(subject.ask('asking', () => Promise.reject(new Error('reset')))).rejects.toThrow('reset');
  await expect(subject.ask('asking', () => new Promise(() => undefined))).rejects.toMatchObject({
    code: 'QUEUE_UNAVAILABLE',
  });
  expect(await subject.ask('asking', async () => 'answer')).toBe('answer');
  expect(opened.map(({ isClosed }) => isClosed)).toEqual([true, true, false]);
});

test('connections that cannot be made are not kept', async () => {
  let attempts = 0;
  const { subject, opened } = connections(async () => {
    attempts += 1;
    if (attempts === 1) throw new Error('refused');
  });
  await expect(subject.ask('asking', async () => 1)).rejects.toThrow('refused');
  expect(await subject.ask('asking', async () => 1)).toBe(1);
  expect(opened).toHaveLength(2);
});

test('what another question takes down with it may be asked again; what closing ends may not', async () => {
  const { subject, opened } = connections();
  const hanging = () =>
    subject.ask('asking', (cluster) => {
      const { closing } = cluster as unknown as FakeCluster;
      return new Promise((_, reject) => closing.push(() => reject(closed)));
    });
  const first = hanging();
  await expect(subject.ask('asking', () => Promise.reject(new Error('reset')))).rejects.toThrow('reset');
  await expect(first).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
  const second = hanging();
  await Promise.resolve();
  await subject.close();
  await expect(second).rejects.toMatchObject({ code: 'QUEUE_CLOSED' });
  await expect(subject.ask('asking', async () => 1)).rejects.toMatchObject({ code: 'QUEUE_CLOSED' });
  expect(opened.every(({ isClosed }) => isClosed)).toBe(true);
});

test('an outage is told once it has lasted a second, once, and its end when every part works again', () => {
  let now = 0;
  const told: string[] = [];
  const clock: Clock = { ...systemClock, elapsed: () => now };
  const outage = new Outage(clock, {
    unavailable: ({ message }) => told.push(message),
    available: (milliseconds) => told.push(`after ${milliseconds}`),
  });
  const failed = (part: string, at: number): void => {
    now = at;
    outage.failed(part, new PersistenceError('QUEUE_UNAVAILABLE', `${part} at ${at}`));
  };
  failed('group', 0);
  failed('group', 900);
  outage.over('group');
  failed('group', 1_100);
  failed('fetch', 1_200);
  expect(told).toEqual([]);
  failed('group', 2_100);
  failed('fetch', 2_500);
  failed('group', 9_000);
  expect(told).toEqual(['group at 2100']);
  outage.over('group');
  now = 10_000;
  outage.over('fetch');
  outage.over('fetch');
  expect(told).toEqual(['group at 2100', 'after 8900']);
});
