import { expect, test } from 'vitest';
import { startingAt } from '../../src/conformance/queue-samples.ts';
import { openCluster } from '../../src/queues/kafka/connection/cluster.ts';
import { createKafka } from '../../src/queues/kafka/connection/create-kafka.ts';
import { assignorName, encodeSubscription } from '../../src/queues/kafka/consumer/group-protocol.ts';
import { openKafkaQueue } from '../../src/queues/kafka/open-kafka-queue.ts';
import { asAdmin, kafkaAddress } from '../support/kafka.ts';
import { initialisedTopic, queueOptions } from './kafka-queue-harness.ts';

/** Far longer than any test, in milliseconds: what happens before that did not wait for a session to end. */
const sessionTimeout = 600_000;

/** A queue whose group waits for a member that has joined and is silent from then on, as if it hung. */
async function besideSilentMember() {
  const topic = await initialisedTopic(kafkaAddress(), 2);
  const options = { ...queueOptions(kafkaAddress(), topic), sessionTimeoutMs: sessionTimeout };
  const groupId = options.group;
  const cluster = openCluster(createKafka(options.connection, () => undefined));
  await cluster.connect();
  await cluster.addTargetTopic(topic);
  const broker = await cluster.findGroupCoordinator(groupId);
  const metadata = encodeSubscription({ topic, owned: [], generation: -1, fills: undefined });
  const groupProtocols = [{ name: assignorName, metadata }];
  const times = { sessionTimeout, rebalanceTimeout: sessionTimeout };
  const { memberId, generationId } = await broker.joinGroup({ groupId, memberId: '', ...times, groupProtocols });
  await broker.syncGroup({ groupId, memberId, generationId, groupAssignment: [] });
  await cluster.close();
  const members = () =>
    asAdmin(kafkaAddress(), async (admin) => {
      const [group] = (await admin.describeGroups([groupId])).groups;
      return group?.members.map((member) => member.memberId) ?? [];
    });
  const queue = await openKafkaQueue({ ...options, rebalanceTimeoutMs: sessionTimeout });
  return { queue, memberId, members };
}

test('who gives up consuming while it waits to join does not wait for the others, and they do not wait for it', async () => {
  const { queue, memberId, members } = await besideSilentMember();
  const giveUp = new AbortController();
  const joining = queue.consume(startingAt(), giveUp.signal);
  joining.catch(() => undefined);
  await expect.poll(members).toHaveLength(2);
  giveUp.abort();
  await expect(joining).rejects.toMatchObject({ code: 'ABORTED' });
  expect(await members()).toEqual([memberId]);
  await queue.close();
});

test('a queue that is closed meanwhile has left the group when it is', async () => {
  const { queue, memberId, members } = await besideSilentMember();
  const joining = queue.consume(startingAt());
  joining.catch(() => undefined);
  await expect.poll(members).toHaveLength(2);
  await queue.close();
  expect(await members()).toEqual([memberId]);
  await expect(joining).rejects.toMatchObject({ code: 'QUEUE_CLOSED' });
});
