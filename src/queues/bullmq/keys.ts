/** What the shards' queues are called, with their number behind. */
const queueName = 'commands';

/** Where everything of a queue lies in Redis (docs/decisions/0024-bullmq-shards.md). */
export interface BullmqKeys {
  /** The prefix that BullMQ is told, in braces: all keys of a queue lie in one slot of a cluster. */
  readonly prefix: string;
  /** Hash: which queue this is. */
  readonly guard: string;
  /** Who is changing the number of shards: there while nothing may be published. */
  readonly change: string;
  /** What the keys of the group of workers begin with: `members`, `stores`, `owners`. */
  readonly group: string;
  /** Channel on which the numbers of shards that got jobs are told, and `group` when the group has changed. */
  readonly channel: string;
  /** The name of a shard's queue for BullMQ. */
  queue(shard: number): string;
  /** What the keys of a shard begin with: those of BullMQ (`wait`, the ids of jobs), and `position`. */
  shard(shard: number): string;
  /** Hash: what was published last under this name. */
  publisher(name: string): string;
}

/** What is said on the channel when members of the group came, went or gave something up. */
export const groupMessage = 'group';

export function bullmqKeys(name: string): BullmqKeys {
  const prefix = /\{[^}]+\}/.test(name) ? name : `{${name}}`;
  const own = `${prefix}:${queueName}`;
  return {
    prefix,
    guard: `${own}:guard`,
    change: `${own}:change`,
    group: `${own}:group:`,
    channel: `${own}:channel`,
    queue: (shard) => `${queueName}-${shard}`,
    shard: (shard) => `${own}-${shard}:`,
    publisher: (publisher) => `${own}:publisher:${publisher}`,
  };
}
