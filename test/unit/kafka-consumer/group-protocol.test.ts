import { expect, test } from 'vitest';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../../src/queues/kafka/consumer/group-protocol.ts';

test('what a member says is read back by the leader', () => {
  for (const fills of [undefined, { id: 'level:/ä', shared: false }]) {
    const subscription = { topic: 'commands', owned: [3, 1], generation: 7, fills };
    expect(decodeSubscription(encodeSubscription(subscription))).toEqual(subscription);
  }
});

test('what the leader says is read back by the member', () => {
  for (const refusedFor of [undefined, { id: 'level:one', shared: true }]) {
    const assignment = { topic: 'commands', partitions: [0, 4], refusedFor, isPassing: refusedFor === undefined };
    expect(decodeAssignment(encodeAssignment(assignment))).toEqual(assignment);
  }
});

test('a subscription is laid out as in Apache Kafka: version, topics, user data, owned partitions, generation', () => {
  const bytes = encodeSubscription({ topic: 't', owned: [5], generation: 9, fills: undefined });
  expect(bytes.toString('hex')).toBe(
    '0002' + '00000001' + '000174' + '00000002' + '7b7d' + '00000001' + '000174' + '00000001' + '00000005' + '00000009',
  );
});

test('what a foreign member says is a conflict of the group', () => {
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from('00010000000100017400000003', 'hex'),
    Buffer.from('x'.repeat(40)),
  ]) {
    expect(() => decodeSubscription(bytes)).toThrow(expect.objectContaining({ code: 'GROUP_CONFLICT' }));
  }
});
