import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Producer } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StoredPosition } from '../../src/domain/plan.ts';
import { kafkaAddress, kafkaClient, uniqueName } from '../support/kafka.ts';
import { type ConsumedTopic, consumedTopic } from '../support/kafka-member.ts';

const program = fileURLToPath(new URL('consumer-processes/member.mjs', import.meta.url));
/** `npm test` builds it first. */
const build = new URL('../../dist/src', import.meta.url).href;
const sessionTimeout = 2_000;
let producer: Producer;

beforeAll(async () => {
  producer = kafkaClient().producer({ idempotent: true });
  await producer.connect();
});
afterAll(() => producer.disconnect());

interface Step {
  readonly partition: number;
  readonly from: number;
  readonly to: StoredPosition;
}
type Said = { readonly id: number } & (
  | { readonly ask: 'positions'; readonly partitions: readonly number[] }
  | { readonly ask: 'commit'; readonly steps: readonly Step[] }
  | { readonly told: 'assigned' | 'revoked'; readonly partitions: readonly number[] }
);

/** Worker processes of one group, and the store that they share: it takes only what starts where it stands. */
class Group {
  readonly #topic: ConsumedTopic;
  readonly #groupId = uniqueName('group');
  readonly #positions = new Map<number, StoredPosition>();
  readonly #changed = new EventEmitter();
  readonly members: ChildProcess[] = [];
  /** By member: the partitions that it says it works on. */
  readonly owned = new Map<ChildProcess, Set<number>>();
  /** By member: how many records it persisted, and how many commits of its were refused. */
  readonly persisted = new Map<ChildProcess, number>();
  refused = 0;

  constructor(topic: ConsumedTopic) {
    this.#topic = topic;
  }

  start(): ChildProcess {
    const { address, topic } = this.#topic;
    const options = { build, address, topic, groupId: this.#groupId, sessionTimeout };
    const member = fork(program, [JSON.stringify(options)], { serialization: 'advanced' });
    this.members.push(member);
    this.owned.set(member, new Set());
    member.on('exit', () => this.#changed.emit('changed'));
    member.on('message', (said: Said) => this.#hear(member, said));
    return member;
  }

  get total(): number {
    return [...this.#positions.values()].reduce((sum, { next }) => sum + next, 0);
  }

  owns(member: ChildProcess): number {
    return this.owned.get(member)?.size ?? 0;
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      expect(this.members.filter(({ exitCode }) => exitCode !== null)).toEqual([]);
      await once(this.#changed, 'changed');
    }
  }

  async end(): Promise<void> {
    for (const member of this.members) {
      if (member.exitCode !== null || member.signalCode !== null) continue;
      member.kill('SIGKILL');
      await once(member, 'exit');
    }
  }

  #hear(member: ChildProcess, said: Said): void {
    if ('told' in said) this.#note(member, said.told, said.partitions);
    else if (said.ask === 'positions') {
      const positions = said.partitions.map((partition) => [partition, this.#positions.get(partition)]);
      member.send({ id: said.id, positions });
    } else member.send({ id: said.id, isDone: this.#commit(member, said.steps) });
    this.#changed.emit('changed');
  }

  #note(member: ChildProcess, told: 'assigned' | 'revoked', partitions: readonly number[]): void {
    const owned = this.owned.get(member);
    for (const partition of partitions) {
      if (told === 'assigned') owned?.add(partition);
      else owned?.delete(partition);
    }
  }

  #commit(member: ChildProcess, steps: readonly Step[]): boolean {
    const isNext = steps.every(({ partition, from }) => (this.#positions.get(partition)?.next ?? 0) === from);
    if (!isNext) {
      this.refused += 1;
      return false;
    }
    for (const { partition, from, to } of steps) {
      expect(to.next).toBeGreaterThan(from);
      this.#positions.set(partition, to);
      this.persisted.set(member, (this.persisted.get(member) ?? 0) + to.next - from);
    }
    return true;
  }
}

async function publish({ topic }: ConsumedTopic, count: number): Promise<void> {
  const messages = Array.from({ length: topic.partitions * count }, (_, index) => ({
    partition: index % topic.partitions,
    value: `value ${index}`,
  }));
  await producer.send({ topic: topic.name, messages });
}

test('what a killed worker worked on goes to the others when its session has ended, and nothing is left out', async () => {
  const topic = await consumedTopic(kafkaAddress(), 4);
  const group = new Group(topic);
  const one = group.start();
  const two = group.start();
  await group.until(() => group.owns(one) === 2 && group.owns(two) === 2);
  await publish(topic, 100);
  await group.until(() => group.total === 400);
  one.kill('SIGKILL');
  await publish(topic, 100);
  await group.until(() => group.owns(two) === 4 && group.total === 800);
  const three = group.start();
  await group.until(() => group.owns(two) === 2 && group.owns(three) === 2);
  await publish(topic, 10);
  await group.until(() => group.total === 840);
  await group.end();
});

test('a worker that slept longer than its session changes nothing when it wakes, and takes its part again', async () => {
  const topic = await consumedTopic(kafkaAddress(), 2);
  const group = new Group(topic);
  const one = group.start();
  const two = group.start();
  await group.until(() => group.owns(one) === 1 && group.owns(two) === 1);
  const [asleep, awake] = [one, two];
  await publish(topic, 500);
  await group.until(() => group.persisted.has(asleep));
  asleep.kill('SIGSTOP');
  await group.until(() => group.owns(awake) === 2 && group.total === 1_000);
  asleep.kill('SIGCONT');
  await publish(topic, 50);
  await group.until(() => group.owns(asleep) === 1 && group.owns(awake) === 1 && group.total === 1_100);
  await group.end();
  // At most what it was committing when it fell asleep was too late.
  expect(group.refused).toBeLessThanOrEqual(1);
});
