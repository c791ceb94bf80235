import { PersistenceError } from '../../../domain/errors.ts';
import type { PartitionBounds } from '../../../ports/queue.ts';
import { tryWithin } from '../../patience.ts';
import { prepareCodecs } from '../protocol/compression/expand.ts';
import { RecordWriter } from '../publishing/record-writer.ts';
import { inspect, type UsableTopic, unsafe, usable } from './check-topic.ts';
import { type CopyProgress, copyRecords } from './copy-records.ts';
import { type CopiedSource, type Guard, guardTopicOf, sourceOf } from './guard.ts';
import { readGuard, writeGuard } from './guard-record.ts';
import { type InitOptions, type InitReport, initTopic, makeTopic, settingsForCommands } from './init-topic.ts';
import { settledBounds } from './settled-bounds.ts';
import { type AdministrationOptions, TopicAdministration, type TopicFacts } from './topic-administration.ts';

/** The topic to fill: as `initTopic` takes it. */
export interface RepartitionOptions extends Omit<InitOptions, 'topic' | 'repair'> {
  readonly from: string;
  readonly to: string;
  /** Told after every few mebibytes, and waited for. */
  readonly onProgress?: ((progress: CopyProgress) => unknown) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Fills a new topic, of another count of partitions, with all that the old one holds, closes the old one, and leaves a
 * note in both, so that nobody goes on with the old one and stores go on with the new one. Publishers must have stopped: when something is
 * published meanwhile it is refused, naming the partitions. A call that was interrupted is made again: it deletes what it
 * had filled in part, and begins anew; one that was finished does nothing, but to refuse what was published since.
 */
export async function repartition(options: RepartitionOptions): Promise<InitReport> {
  await prepareCodecs();
  await using administration = await TopicAdministration.open(options);
  const work = new Repartition(administration, options);
  const did = await work.run();
  const report = await initTopic({ ...options, topic: options.to });
  return { did: [...did, ...report.did], findings: report.findings };
}

/** Bytes of a record batch: less than any command takes with its attributes, more than the marker of a transaction. */
const closedBatch = '128';
/** Milliseconds that a change may take to be known. */
const spreading = 30_000;

class Repartition {
  readonly #administration: TopicAdministration;
  readonly #options: RepartitionOptions;
  readonly #did: string[] = [];

  constructor(administration: TopicAdministration, options: RepartitionOptions) {
    this.#administration = administration;
    this.#options = options;
  }

  async run(): Promise<readonly string[]> {
    const { from, to } = this.#options;
    const old = await this.#old();
    const copied = (await this.#filled(old)) ?? (await this.#fill(old));
    await this.#refuseMoved(old, copied);
    await this.#closeOld(old);
    if (old.guard.movedTo !== to) {
      await writeGuard(this.#administration, this.#options.clock, old.guardFacts, { ...old.guard, movedTo: to });
      this.#did.push(`noted that the commands of topic ${from} go to topic ${to} now`);
    }
    await this.#refuseMoved(old, copied);
    return this.#did;
  }

  /**
   * Has the brokers take no command into the old topic any more: whoever has it open reads no note, and a client of its
   * own never does. Resolves once a broker is seen to know.
   */
  async #closeOld({ topic }: UsableTopic): Promise<void> {
    if (topic.settings.get('max.message.bytes') === closedBatch) return;
    const change = { topic: topic.name, setting: 'max.message.bytes', value: closedBatch };
    await this.#administration.alter([change]);
    await tryWithin(this.#options.clock, spreading, async () => {
      const found = await this.#administration.describe(topic.name);
      if (found?.settings.get(change.setting) === closedBatch) return;
      throw new PersistenceError('QUEUE_UNAVAILABLE', `the brokers do not know yet that topic ${topic.name} is closed`);
    });
    this.#did.push(`closed topic ${topic.name}: set max.message.bytes of it to ${closedBatch}`);
  }

  /** The old topic. It may have more partitions than it was set up with, which is what is to be mended. */
  async #old(): Promise<UsableTopic> {
    const { from, to, connection } = this.#options;
    const report = await inspect(this.#administration, { ...this.#check(), topic: from });
    const { topic, guardTopic } = report;
    const guard = guardTopic?.guard;
    if (topic === undefined || guardTopic === undefined || guard === undefined) {
      throw unsafe(
        report.findings.filter(({ severity }) => severity === 'problem'),
        connection.brokers.join(','),
      );
    }
    const isOther = guard.topicId !== topic.id || guard.isUnfinished === true;
    if (isOther || (guard.movedTo !== undefined && guard.movedTo !== to)) usable(report, connection.brokers.join(','));
    return { topic, guard, guardFacts: guardTopic.facts };
  }

  /** What an earlier call has filled the new topic with. What was filled in part only is deleted. */
  async #filled({ topic }: UsableTopic): Promise<CopiedSource | undefined> {
    const { to } = this.#options;
    const report = await inspect(this.#administration, { ...this.#check(), topic: to });
    const guard = report.guardTopic?.guard;
    if (guard?.continues?.source !== sourceOf(topic.id)) {
      if (report.topic === undefined && guard === undefined) return undefined;
      throw thereAlready(to);
    }
    if (guard.isUnfinished !== true) return guard.continues;
    if (report.topic !== undefined) await this.#administration.delete(to);
    return undefined;
  }

  async #fill(old: UsableTopic): Promise<CopiedSource> {
    const { to, partitions, clock } = this.#options;
    const bounds = await this.#bounds(old);
    const continues: CopiedSource = {
      source: sourceOf(old.topic.id),
      from: new Map([...bounds].map(([partition, { start }]) => [partition, start])),
      to: new Map([...bounds].map(([partition, { end }]) => [partition, end])),
    };
    const guard: Guard = { topicId: '', partitions, continues };
    const making = { administration: this.#administration, options: this.#options, did: this.#did };
    const guards = await makeTopic(making, guardTopicOf(to), 1, { 'cleanup.policy': 'compact' });
    // Read again: a broker that had just started may not have known what is there already.
    const noted = (await readGuard(this.#administration, clock, to))?.guard;
    if (noted !== undefined && noted.isUnfinished !== true) throw thereAlready(to);
    // Before the topic is there, so that nobody takes it for one that is finished, or was there before.
    await writeGuard(this.#administration, clock, guards, { ...guard, isUnfinished: true });
    const final = settingsForCommands(this.#options);
    const filling = { 'message.timestamp.type': 'CreateTime', 'retention.ms': '-1' };
    const topic = await makeTopic(making, to, partitions, { ...final, ...filling });
    await this.#copy(old, topic, bounds);
    const changes = Object.keys(filling).map((setting) => ({ topic: to, setting, value: final[setting] ?? '' }));
    for (const change of changes) await this.#administration.alter([change]);
    await this.#refuseMoved(old, continues);
    await writeGuard(this.#administration, clock, guards, { ...guard, topicId: topic.id });
    this.#did.push(`filled topic ${to} with what topic ${old.topic.name} holds`);
    return continues;
  }

  async #copy(old: UsableTopic, topic: TopicFacts, bounds: ReadonlyMap<number, PartitionBounds>): Promise<void> {
    const { clock, batchBytes, onProgress, signal } = this.#options;
    const source = this.#administration.brokersOf(old.topic);
    const target = this.#administration.brokersOf(topic);
    try {
      const closing = signal ?? new AbortController().signal;
      const writer = new RecordWriter({ brokers: target, clock, closing, batchBytes, codec: undefined });
      await copyRecords({
        brokers: source,
        clock,
        bounds,
        formerPartitions: old.guard.partitions,
        writer,
        partitions: topic.partitions,
        onProgress,
        signal,
      });
    } finally {
      await source.close();
      await target.close();
    }
  }

  async #bounds({ topic }: UsableTopic): Promise<ReadonlyMap<number, PartitionBounds>> {
    const brokers = this.#administration.brokersOf(topic);
    try {
      return await settledBounds(brokers, this.#options.clock);
    } finally {
      await brokers.close();
    }
  }

  /** Refuses what was published to the old topic after it was copied. */
  async #refuseMoved(old: UsableTopic, { to }: CopiedSource): Promise<void> {
    const moved: string[] = [];
    for (const [partition, { end }] of await this.#bounds(old)) {
      const before = to.get(partition);
      if (before !== end) moved.push(`partition ${partition} went from offset ${before} to ${end}`);
    }
    if (moved.length === 0) return;
    const name = this.#options.to;
    throw new PersistenceError(
      'QUEUE_UNSAFE',
      `something was published to topic ${old.topic.name} meanwhile: ${moved.join(', ')}. Stop its publishers. When ` +
        `topic ${name} is in use already, publish those commands to it again; otherwise delete topics ${name} and ` +
        `${guardTopicOf(name)} if they are there, and begin again`,
    );
  }

  #check(): AdministrationOptions & { readonly minimumRetentionMs: number; readonly batchBytes: number } {
    return { ...this.#options, minimumRetentionMs: this.#options.retentionMs };
  }
}

function thereAlready(name: string): PersistenceError {
  return new PersistenceError('QUEUE_UNSAFE', `topic ${name} is there already: name one that is not`);
}
