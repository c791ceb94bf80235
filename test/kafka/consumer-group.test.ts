import { AssignerProtocol, type Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/platform/system-clock.ts';
import { asAdmin, kafkaAddress, kafkaClient, uniqueName } from '../support/kafka.ts';
import {
  type ConsumedTopic,
  consumedTopic,
  type MemberSettings,
  type SharedPositions,
  TestMember,
} from '../support/kafka-member.ts';

/** Far longer than any test: what happens before that did not wait for a session to end. */
const sessionTimeout = 600_000;
const heartbeatInterval = 100;
let producer: Producer;

beforeAll(async () => {
  producer = kafkaClient().producer({ idempotent: true });
  await producer.connect();
});
afterAll(() => producer.disconnect());

async function publish({ topic }: ConsumedTopic, count: number): Promise<void> {
  const messages = Array.from({ length: topic.partitions * count }, (_, index) => ({
    partition: index % topic.partitions,
    value: `value ${index}`,
  }));
  await producer.send({ topic: topic.name, messages });
}

/** Members of one group that fill one store. */
function groupOf(topic: ConsumedTopic): (settings?: MemberSettings) => TestMember {
  const settings = {
    groupId: uniqueName('group'),
    positions: new Map() as SharedPositions,
    sessionTimeout,
    heartbeatInterval,
  };
  return (more = {}) => {
    const member = new TestMember(topic, { ...settings, ...more });
    member.work();
    return member;
  };
}

/** Resolves once each member works on so many partitions. */
async function shared(members: readonly TestMember[], counts: readonly number[]): Promise<void> {
  await Promise.all(members.map((member, index) => member.until(() => member.partitions.length === counts[index])));
}

/** Fails unless the members took every offset of every partition below `count` exactly once, and in order. */
function expectEachOnce(members: readonly TestMember[], partitions: number, count: number): void {
  const offsets = Array.from({ length: partitions }, (): number[] => []);
  for (const { taken } of members) {
    for (const { position } of taken) offsets[position.partition]?.push(position.offset);
    for (let partition = 0; partition < partitions; partition += 1) {
      const own = taken.flatMap(({ position }) => (position.partition === partition ? [position.offset] : []));
      expect(own).toEqual([...own].sort((one, other) => one - other));
    }
  }
  const dense = Array.from({ length: count }, (_, offset) => offset);
  for (const taken of offsets) expect(taken.sort((one, other) => one - other)).toEqual(dense);
}

describe('members of one group', () => {
  test('share the partitions evenly, each record going to one of them in order, while members come and go', async () => {
    const topic = await consumedTopic(kafkaAddress(), 6);
    const join = groupOf(topic);
    const one = join();
    await shared([one], [6]);
    await publish(topic, 20);
    const two = join();
    await shared([one, two], [3, 3]);
    await publish(topic, 20);
    const three = join();
    await shared([one, two, three], [2, 2, 2]);
    await publish(topic, 20);
    const members = [one, two, three];
    const all = (): number => members.reduce((sum, { taken }) => sum + taken.length, 0);
    await Promise.race(members.map((member) => member.until(() => all() === 360)));
    await two.close();
    await shared([one, three], [3, 3]);
    await publish(topic, 20);
    await Promise.race([one, three].map((member) => member.until(() => all() === 480)));
    await one.close();
    await shared([three], [6]);
    await publish(topic, 20);
    await three.until(() => all() === 600);
    await three.close();
    expectEachOnce(members, 6, 100);
  });

  test('keep a partition from others until what was taken of it is settled, and go on with the rest meanwhile', async () => {
    const topic = await consumedTopic(kafkaAddress(), 4);
    const join = groupOf(topic);
    let settle: () => void = () => undefined;
    let going: readonly number[] = [];
    const one = join({
      onRevoked: (partitions) => {
        going = partitions;
        return new Promise((resolve) => {
          settle = resolve;
        });
      },
    });
    await shared([one], [4]);
    const two = join();
    await two.consumer;
    while (going.length === 0) await systemClock.sleep(5);
    expect(going).toHaveLength(2);
    const before = one.taken.length;
    await publish(topic, 10);
    await one.until(() => one.taken.length === before + 20);
    // Many heartbeats later the drain still holds.
    await systemClock.sleep(10 * heartbeatInterval);
    expect(two.happened).toEqual([]);
    expect(one.taken.filter(({ position }) => going.includes(position.partition))).toEqual([]);
    settle();
    await shared([one, two], [2, 2]);
    await two.until(() => two.taken.length === 20);
    expect(two.partitions).toEqual(going);
    expectEachOnce([one, two], 4, 10);
    await Promise.all([one.close(), two.close()]);
  });

  test('give a partition up, for the others to go on, when it is not settled in time', async () => {
    const topic = await consumedTopic(kafkaAddress(), 2);
    const join = groupOf(topic);
    const one = join({ rebalanceTimeout: 1_000, onRevoked: () => new Promise(() => undefined) });
    await shared([one], [2]);
    const two = join();
    await shared([two], [1]);
    await Promise.all([one.close(), two.close()]);
  });

  test('are told when the group has gone on without them, start anew from the store, and take nothing twice', async () => {
    const topic = await consumedTopic(kafkaAddress(), 2);
    const groupId = uniqueName('group');
    const join = groupOf(topic);
    const one = join({ groupId });
    await publish(topic, 10);
    await one.until(() => one.taken.length === 20);
    const [group] = await asAdmin(topic.address, async (admin) => (await admin.describeGroups([groupId])).groups);
    const memberId = group?.members[0]?.memberId ?? expect.fail('a member');
    const cluster = topic.openCluster();
    await cluster.connect();
    await cluster.addTargetTopic(topic.topic.name);
    await (await cluster.findGroupCoordinator(groupId)).leaveGroup({ groupId, memberId });
    await cluster.close();
    await one.until(() => one.happened.length === 3);
    expect(one.happened).toEqual(['assigned 0,1', 'revoked 0,1', 'assigned 0,1']);
    await publish(topic, 5);
    await one.until(() => one.taken.length === 30);
    expectEachOnce([one], 2, 15);
    await one.close();
  });

  test('that take longer over a batch than their session lasts stay members', async () => {
    const topic = await consumedTopic(kafkaAddress(), 1);
    await publish(topic, 10);
    await using member = new TestMember(topic, { sessionTimeout: 1_000 });
    member.work(2_500);
    await member.until(() => member.taken.length === 10);
    await publish(topic, 10);
    await member.until(() => member.taken.length === 20);
    expect(member.happened).toEqual(['assigned 0']);
  });

  test('more than there are partitions stand by, and take over', async () => {
    const topic = await consumedTopic(kafkaAddress(), 1);
    const join = groupOf(topic);
    const one = join();
    await shared([one], [1]);
    const two = join();
    await two.consumer;
    expect(two.partitions).toEqual([]);
    await one.close();
    await shared([two], [1]);
    await publish(topic, 3);
    await two.until(() => two.taken.length === 3);
    await two.close();
  });
});

describe('a group', () => {
  test('refuses a member that fills another store, by both names, and the others work on', async () => {
    const topic = await consumedTopic(kafkaAddress(), 2);
    const join = groupOf(topic);
    const one = join({ fills: { id: 'level:one', shared: false } });
    await shared([one], [2]);
    const two = join({ fills: { id: 'level:two', shared: false } });
    await expect(two.consumer).rejects.toMatchObject({
      code: 'GROUP_CONFLICT',
      message: expect.stringMatching(/level:one.*level:two/),
    });
    await publish(topic, 4);
    await one.until(() => one.taken.length === 8);
    const three = join({ fills: { id: 'level:one', shared: false } });
    await shared([one, three], [1, 1]);
    await Promise.all([one.close(), two.close(), three.close()]);
  });

  test('of another program is left alone', async () => {
    const topic = await consumedTopic(kafkaAddress(), 2);
    const groupId = uniqueName('group');
    const foreign = kafkaClient().consumer({
      groupId,
      maxWaitTimeInMs: 100,
      partitionAssigners: [
        () => ({
          name: 'foreign',
          version: 0,
          assign: async ({ members }) =>
            members.map(({ memberId }) => ({
              memberId,
              memberAssignment: AssignerProtocol.MemberAssignment.encode({
                version: 0,
                assignment: { [topic.topic.name]: [0, 1] },
                userData: Buffer.alloc(0),
              }),
            })),
          protocol: ({ topics }) => ({
            name: 'foreign',
            metadata: AssignerProtocol.MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) }),
          }),
        }),
      ],
    });
    await foreign.connect();
    await foreign.subscribe({ topics: [topic.topic.name] });
    const joined = new Promise((resolve) => foreign.on(foreign.events.GROUP_JOIN, resolve));
    await foreign.run({ eachMessage: async () => undefined });
    await joined;
    await using member = new TestMember(topic, { groupId });
    await expect(member.consumer).rejects.toMatchObject({ code: 'GROUP_CONFLICT' });
    await foreign.disconnect();
  });
});
