import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { asAdmin, createTopic, deleteTopics, kafkaAddress } from '../support/kafka.ts';
import { deleteKeys, redisAddress, uniquePrefix } from '../support/redis.ts';

test('the Kafka that all tests share has the topics that are created in it, until they are deleted', async () => {
  const topic = await createTopic(kafkaAddress());
  const topics = () => asAdmin(kafkaAddress(), (admin) => admin.listTopics());
  expect(await topics()).toContain(topic);
  await deleteTopics(kafkaAddress(), [topic]);
  expect(await topics()).not.toContain(topic);
});

test('the Redis that all tests share loses only the keys of a prefix', async () => {
  const prefix = uniquePrefix();
  const client = new Redis(redisAddress());
  try {
    await client.mset({ [`${prefix}:a`]: '1', [`${prefix}:b`]: '2', [`${prefix}-other`]: '3' });
    await deleteKeys(redisAddress(), `${prefix}:`);
    expect(await client.keys(`${prefix}*`)).toEqual([`${prefix}-other`]);
    await client.unlink(`${prefix}-other`);
  } finally {
    client.disconnect();
  }
});
