import type { JoinedGroup } from '../connection/cluster.ts';
import { assignPartitions } from './assign-partitions.ts';
import { decodeSubscription, encodeAssignment } from './group-protocol.ts';
import type { KafkaTopic } from './topic-brokers.ts';

/** What the group's leader sends to every member, as the request to synchronise the group takes it. */
export function shareOut(
  { members, leaderId }: JoinedGroup,
  topic: KafkaTopic,
): readonly { readonly memberId: string; readonly memberAssignment: Buffer }[] {
  const subscribed = members.map(({ memberId, memberMetadata }) => ({
    id: memberId,
    ...decodeSubscription(memberMetadata),
  }));
  const filled = subscribed.find(({ id }) => id === leaderId)?.fills;
  const { assigned, refused } = assignPartitions(subscribed, leaderId, topic.partitions);
  const given = [...assigned.values()].reduce((sum, partitions) => sum + partitions.length, 0);
  const isPassing = given < topic.partitions;
  return [...assigned].map(([memberId, partitions]) => {
    const refusedFor = refused.has(memberId) ? filled : undefined;
    return { memberId, memberAssignment: encodeAssignment({ topic: topic.name, partitions, refusedFor, isPassing }) };
  });
}
