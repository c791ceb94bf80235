import { wireLimits } from '../../../domain/command.ts';
import { type Guard, guardTopicOf } from './guard.ts';
import type { SettingChange } from './setting-change.ts';
import type { TopicFacts } from './topic-administration.ts';

/** What was found out about a topic. A `problem` would lose commands or their order: nobody uses such a topic. */
export interface TopicFinding {
  readonly severity: 'warning' | 'problem';
  readonly what: string;
  /** What to do about it. */
  readonly remedy: string;
  /** The setting of which topic that mends it, where one does. */
  readonly change?: SettingChange | undefined;
  /** True for what is missing, and is made by `macp-persist init`. */
  readonly isMadeByInit?: boolean | undefined;
}

/** What a topic has to hold. */
export interface TopicNeeds {
  /** Milliseconds for which commands stay at least. */
  readonly minimumRetentionMs: number;
  /** Most bytes of a record batch that is published here. */
  readonly batchBytes: number;
}

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
/** The largest command with its attributes, and what record and batch take besides. */
const largestBatch = wireLimits.dataBytes + 64 * kibibyte;
/** `max.message.bytes` of topics made here: room for headers of other producers. */
export const roomyBatch = wireLimits.dataBytes + mebibyte;
/** A dead letter has more headers than the command that it was. */
export const deadLetterBatch = roomyBatch + mebibyte;

/** What to make of a topic for commands, and of its guard: undefined when there is none. */
export function judgeTopic(facts: TopicFacts, guard: Guard | undefined, needs: TopicNeeds): readonly TopicFinding[] {
  return [
    ...judgeGuard(facts, guard),
    ...judgePolicy(facts),
    ...judgeRetention(facts, needs.minimumRetentionMs),
    ...judgeSize(facts, Math.max(largestBatch, needs.batchBytes)),
    ...judgeReplication(facts),
    ...judgeTimestamps(facts),
  ];
}

/** What to make of the topic that holds the guard. */
export function judgeGuardTopic(facts: TopicFacts): readonly TopicFinding[] {
  const policy = facts.settings.get('cleanup.policy');
  if (policy === 'compact') return [];
  return [
    problem(
      facts,
      `cleanup.policy is ${policy}: the guard would be deleted after a while`,
      'cleanup.policy',
      'compact',
    ),
  ];
}

/** What to make of the topic for copies of dead letters. */
export function judgeDeadLetterTopic(facts: TopicFacts): readonly TopicFinding[] {
  const bytes = setting(facts, 'max.message.bytes');
  const found: TopicFinding[] = [];
  if (bytes < deadLetterBatch) {
    const what = `max.message.bytes is ${bytes}: the largest dead letters would be copied without their data`;
    found.push({ ...problem(facts, what, 'max.message.bytes', `${deadLetterBatch}`), severity: 'warning' });
  }
  if (facts.settings.get('cleanup.policy') !== 'delete') {
    const what = `cleanup.policy is ${facts.settings.get('cleanup.policy')}: of several dead letters of a session one would stay`;
    found.push({ ...problem(facts, what, 'cleanup.policy', 'delete'), severity: 'warning' });
  }
  return found;
}

function judgeGuard(facts: TopicFacts, guard: Guard | undefined): readonly TopicFinding[] {
  const { name, id, partitions } = facts;
  if (guard === undefined) {
    return [
      {
        severity: 'problem',
        what: `topic ${name} was not set up for commands: it may have been made by accident`,
        remedy: 'macp-persist init checks it and sets it up',
        isMadeByInit: true,
      },
    ];
  }
  if (guard.isUnfinished === true) return [unfinished(name)];
  const findings: TopicFinding[] = [];
  if (guard.topicId !== id) {
    findings.push({
      severity: 'problem',
      what: `topic ${name} was deleted and made anew: its id was ${guard.topicId} and is ${id}, so what it held is gone`,
      remedy: `to go on with the new one, delete ${guardTopicOf(name)} and run macp-persist init`,
    });
  }
  if (guard.partitions !== partitions) {
    findings.push({
      severity: 'problem',
      what: `topic ${name} was set up with ${guard.partitions} partitions and has ${partitions}: sessions would lie in two of them`,
      remedy: 'macp-persist repartition moves what it holds to a new topic',
    });
  }
  return findings;
}

/** What to say of a topic that is not filled to the end. */
export function unfinished(name: string): TopicFinding {
  return {
    severity: 'problem',
    what: `topic ${name} is being filled by macp-persist repartition, or was when that was interrupted`,
    remedy: 'run that again: it begins anew',
  };
}

function judgePolicy(facts: TopicFacts): readonly TopicFinding[] {
  const policy = facts.settings.get('cleanup.policy');
  if (policy === 'delete') return [];
  const what = `cleanup.policy of topic ${facts.name} is ${policy}: of several commands of a session only the last would stay`;
  return [problem(facts, what, 'cleanup.policy', 'delete')];
}

function judgeRetention(facts: TopicFacts, minimum: number): readonly TopicFinding[] {
  const findings: TopicFinding[] = [];
  const time = setting(facts, 'retention.ms');
  const bytes = setting(facts, 'retention.bytes');
  if (time !== -1 && time < minimum) {
    const what = `retention.ms of topic ${facts.name} is ${time}: commands would be gone before the ${minimum} ms that are set as kafka.retention`;
    findings.push(problem(facts, what, 'retention.ms', `${minimum}`));
  }
  if (bytes !== -1) {
    const what = `retention.bytes of topic ${facts.name} is ${bytes}: commands are gone earlier when a partition grows beyond that`;
    findings.push({ ...problem(facts, what, 'retention.bytes', '-1'), severity: 'warning' });
  }
  return findings;
}

function judgeSize(facts: TopicFacts, needed: number): readonly TopicFinding[] {
  const bytes = setting(facts, 'max.message.bytes');
  if (bytes >= needed) return [];
  const what = `max.message.bytes of topic ${facts.name} is ${bytes}: a large command or batch, of up to ${needed} bytes, would be refused`;
  return [problem(facts, what, 'max.message.bytes', `${Math.max(roomyBatch, needed)}`)];
}

function judgeReplication(facts: TopicFacts): readonly TopicFinding[] {
  const { name, replicas } = facts;
  const needed = setting(facts, 'min.insync.replicas');
  const findings: TopicFinding[] = [];
  if (needed > replicas) {
    const what = `min.insync.replicas of topic ${name} is ${needed}, and it has ${replicas} replicas: nothing can be written`;
    findings.push(problem(facts, what, 'min.insync.replicas', `${Math.max(1, replicas - 1)}`));
  } else if (replicas === 1) {
    const what = `topic ${name} has one replica: what is durable is lost with that broker's disk`;
    findings.push({ severity: 'warning', what, remedy: 'give it three replicas with kafka-reassign-partitions.sh' });
  } else if (needed === 1) {
    const what = `min.insync.replicas of topic ${name} is 1: what one replica alone has written counts as durable`;
    findings.push({ ...problem(facts, what, 'min.insync.replicas', '2'), severity: 'warning' });
  }
  if (facts.settings.get('unclean.leader.election.enable') === 'true') {
    const what = `unclean.leader.election.enable of topic ${name} is true: a replica that missed durable commands may become the leader`;
    findings.push({ ...problem(facts, what, 'unclean.leader.election.enable', 'false'), severity: 'warning' });
  }
  return findings;
}

/** Retention goes by the times of records: one that a producer has given may be any. */
function judgeTimestamps(facts: TopicFacts): readonly TopicFinding[] {
  const type = facts.settings.get('message.timestamp.type');
  if (type === 'LogAppendTime') return [];
  const what = `message.timestamp.type of topic ${facts.name} is ${type}: commands of a producer whose clock is wrong are gone too early`;
  return [{ ...problem(facts, what, 'message.timestamp.type', 'LogAppendTime'), severity: 'warning' }];
}

function setting(facts: TopicFacts, name: string): number {
  const value = Number(facts.settings.get(name));
  if (Number.isFinite(value)) return value;
  throw new TypeError(`topic ${facts.name} has no setting ${name}`);
}

function problem(facts: TopicFacts, what: string, name: string, value: string): TopicFinding {
  const change = { topic: facts.name, setting: name, value };
  return { severity: 'problem', what, remedy: `set it to ${value}`, change };
}
