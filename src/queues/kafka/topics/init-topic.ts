import { PersistenceError } from '../../../domain/errors.ts';
import { tryWithin } from '../../patience.ts';
import { inspect, type TopicReport, unsafe, usable } from './check-topic.ts';
import { guardTopicOf } from './guard.ts';
import { readGuard, writeGuard } from './guard-record.ts';
import { type AdministrationOptions, TopicAdministration, type TopicFacts } from './topic-administration.ts';
import { deadLetterBatch, roomyBatch, type TopicFinding, unfinished } from './topic-findings.ts';

export interface InitOptions extends AdministrationOptions {
  /** The topic for commands. */
  readonly topic: string;
  /** How many it gets where it is made, and has to have where it is there already: fixed for good. */
  readonly partitions: number;
  /** Copies of each partition. Default: 3, or one a broker where there are fewer. */
  readonly replicationFactor?: number | undefined;
  /** Copies that have to be written before a command is durable. Default: one less than there are, at least 1. */
  readonly minimumInSyncReplicas?: number | undefined;
  /** Milliseconds for which commands are kept. */
  readonly retentionMs: number;
  /** Most bytes of a record batch that is published to it. */
  readonly batchBytes: number;
  /** There when dead letters are copied: the topic for them. */
  readonly deadLetterTopic?: string | undefined;
  /** Whether settings of a topic that is there are changed where they would lose commands. Default: it is refused. */
  readonly repair?: boolean | undefined;
}

export interface InitReport {
  /** What was done, in sentences; nothing when all was well. */
  readonly did: readonly string[];
  /** What there is to know besides. */
  readonly findings: readonly TopicFinding[];
}

/** Milliseconds that changes may take to be known to every broker. */
const spreading = 30_000;

/**
 * Makes the topic for commands, the one for its guard and the one for dead letters, or checks those that are there.
 * Deletes nothing, and does nothing twice: an interrupted call is finished by the next. A topic that would lose commands
 * is refused (`QUEUE_UNSAFE`, with the commands that mend it) before anything is changed, or mended with `repair`.
 */
export async function initTopic(options: InitOptions): Promise<InitReport> {
  const { topic, partitions, deadLetterTopic, clock } = options;
  await using administration = await TopicAdministration.open(options);
  const check = { ...options, minimumRetentionMs: options.retentionMs };
  const did: string[] = [];
  const before = await inspect(administration, check);
  refuse(before, options);
  for (const { change } of before.findings.filter(isProblem)) {
    if (change === undefined) continue;
    await administration.alter([change]);
    did.push(`set ${change.setting} of topic ${change.topic} to ${change.value}`);
  }

  const making = { administration, options, did };
  const facts = before.topic ?? (await makeTopic(making, topic, partitions, settingsForCommands(options)));
  const guards =
    before.guardTopic?.facts ?? (await makeTopic(making, guardTopicOf(topic), 1, { 'cleanup.policy': 'compact' }));
  // Read again: it may have been there all the time, and a broker that had just started did not know it.
  const guard = before.guardTopic?.guard ?? (await readGuard(administration, clock, topic))?.guard;
  if (guard === undefined) {
    await writeGuard(administration, clock, guards, { topicId: facts.id, partitions: facts.partitions });
    did.push(`noted that topic ${topic} is for commands, in ${facts.partitions} partitions`);
  }
  if (deadLetterTopic !== undefined && before.deadLetterTopic === undefined) {
    await makeTopic(making, deadLetterTopic, partitions, deadLetterSettings(options));
  }
  const after = await tryWithin(clock, spreading, async () => {
    const report = await inspect(administration, check);
    const left = report.findings.filter(isProblem);
    if (left.length === 0) return report;
    const what = left.map((finding) => finding.what).join('. ');
    throw new PersistenceError('QUEUE_UNAVAILABLE', `the brokers do not know yet what was changed: ${what}`);
  });
  return { did, findings: after.findings };
}

/** Refuses what this call must not or cannot mend, before it has changed anything. */
function refuse(report: TopicReport, options: InitOptions): void {
  const { topic, guardTopic, findings } = report;
  const guard = guardTopic?.guard;
  if (guard?.movedTo !== undefined) usable(report, servers(options));
  if (guard?.isUnfinished === true) throw unsafe([unfinished(options.topic)], servers(options));
  if (topic === undefined && guard !== undefined) {
    throw new PersistenceError(
      'QUEUE_UNSAFE',
      `topic ${options.topic} was deleted, and what it held is gone: to begin anew, delete ${guardTopicOf(options.topic)} as well`,
    );
  }
  const known = guard?.partitions ?? topic?.partitions;
  if (topic !== undefined && known !== options.partitions) throw otherCount(topic, options);
  const problems = findings.filter((finding) => isProblem(finding) && finding.isMadeByInit !== true);
  const left = options.repair === true ? problems.filter(({ change }) => change === undefined) : problems;
  if (left.length > 0) throw unsafe(left, servers(options));
}

function isProblem({ severity }: TopicFinding): boolean {
  return severity === 'problem';
}

function otherCount({ name, partitions }: TopicFacts, options: InitOptions): PersistenceError {
  return new PersistenceError(
    'INVALID_CONFIGURATION',
    `topic ${name} has ${partitions} partitions, not ${options.partitions}: their number is fixed once it is used; set ` +
      `kafka.partitions to ${partitions}, or fill a new topic with macp-persist repartition`,
  );
}

export interface Making {
  readonly administration: TopicAdministration;
  readonly options: Pick<InitOptions, 'replicationFactor' | 'minimumInSyncReplicas'>;
  readonly did: string[];
}

/** Makes a topic with what the options say of replicas, and notes it. */
export async function makeTopic(
  { administration, options, did }: Making,
  name: string,
  partitions: number,
  settings: Readonly<Record<string, string>>,
): Promise<TopicFacts> {
  const replicas = options.replicationFactor ?? Math.min(3, await administration.brokerCount());
  const needed = options.minimumInSyncReplicas ?? Math.max(1, replicas - 1);
  const facts = await administration.create({
    name,
    partitions,
    replicas,
    settings: { ...settings, 'min.insync.replicas': `${needed}`, 'unclean.leader.election.enable': 'false' },
  });
  did.push(`made topic ${name} (partitions: ${facts.partitions}, replicas: ${facts.replicas})`);
  return facts;
}

/** The settings of a topic for commands, as they are made here. */
export function settingsForCommands(
  options: Pick<InitOptions, 'retentionMs' | 'batchBytes'>,
): Readonly<Record<string, string>> {
  return {
    'cleanup.policy': 'delete',
    'retention.ms': `${options.retentionMs}`,
    'retention.bytes': '-1',
    'max.message.bytes': `${Math.max(roomyBatch, options.batchBytes)}`,
    'message.timestamp.type': 'LogAppendTime',
  };
}

function deadLetterSettings({ retentionMs }: InitOptions): Readonly<Record<string, string>> {
  return {
    'cleanup.policy': 'delete',
    'retention.ms': `${retentionMs}`,
    'retention.bytes': '-1',
    'max.message.bytes': `${deadLetterBatch}`,
    'message.timestamp.type': 'LogAppendTime',
  };
}

function servers({ connection }: AdministrationOptions): string {
  return connection.brokers.join(',');
}
