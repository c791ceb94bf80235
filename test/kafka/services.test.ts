import { expect, test } from 'vitest';
import { asAdmin, createTopic, kafkaClient, startBroker } from '../support/kafka.ts';

test('a broker that is killed comes back at its address with its data', async () => {
  await using broker = await startBroker();
  const topic = await createTopic(broker.address, { numPartitions: 3 });
  const producer = kafkaClient(broker.address).producer();
  await producer.connect();
  await producer.send({ topic, messages: [{ value: 'a', partition: 1 }] });
  await producer.disconnect();
  await broker.kill();
  await broker.restart();
  const offsets = await asAdmin(broker.address, (admin) => admin.fetchTopicOffsets(topic));
  expect(offsets.map(({ high }) => high).sort()).toEqual(['0', '0', '1']);
});

test('a cluster of three brokers goes on serving a topic when one is killed', async () => {
  await using kafka = await startBroker({ nodes: 3 });
  const topic = await createTopic(kafka.address, { replicationFactor: 3, settings: { 'min.insync.replicas': '2' } });
  await kafka.brokers[0]?.kill();
  const producer = kafkaClient(kafka.address).producer();
  await producer.connect();
  const [written] = await producer.send({ topic, acks: -1, messages: [{ value: 'a' }] });
  await producer.disconnect();
  expect(written?.errorCode).toBe(0);
});
