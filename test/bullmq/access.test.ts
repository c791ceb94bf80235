import { expect, test } from 'vitest';
import {
  assertDelivered,
  assertRejects,
  positionsAfter,
  someCommands,
  someSessions,
  startingAt,
  takeCount,
} from '../../src/conformance/queue-samples.ts';
import { openBullmqAt } from '../support/bullmq.ts';
import { documentedRules } from '../support/documented-rules.ts';
import { useOneRedis } from '../support/one-redis.ts';

const redis = useOneRedis();

test('the user that is documented may publish and consume, and one that may less is told so at once', async () => {
  const rules = documentedRules();
  expect(rules.length).toBeGreaterThan(5);
  await redis.client.call('ACL', 'SETUSER', 'queue', 'on', '>secret', ...rules);
  const address = { host: '127.0.0.1', port: redis.server.port, database: 0, username: 'queue', password: 'secret' };
  await using queue = await openBullmqAt(address, 'macp');
  const commands = someCommands(someSessions, 1, 2);
  await queue.publish(commands);
  await using consumer = await queue.consume(startingAt());
  const taken = await takeCount(consumer, commands.length);
  assertDelivered(taken, commands);
  await consumer.acknowledge(positionsAfter(taken));
  await expect
    .poll(async () => [...(await queue.bounds()).values()].every(({ start, end }) => start === end))
    .toBe(true);
  await queue.close();
  await assertRejects('INVALID_CONFIGURATION', openBullmqAt({ ...address, password: 'wrong' }, 'macp'));
  await assertRejects('INVALID_CONFIGURATION', openBullmqAt(address, 'others'));
});
