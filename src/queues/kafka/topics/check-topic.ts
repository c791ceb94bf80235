import { PersistenceError } from '../../../domain/errors.ts';
import { type Guard, guardTopicOf } from './guard.ts';
import { type GuardTopic, readGuard } from './guard-record.ts';
import type { SettingChange } from './setting-change.ts';
import { type AdministrationOptions, TopicAdministration, type TopicFacts } from './topic-administration.ts';
import {
  judgeDeadLetterTopic,
  judgeGuardTopic,
  judgeTopic,
  type TopicFinding,
  type TopicNeeds,
} from './topic-findings.ts';

/** Which topics are looked at, and what they have to hold. */
export interface TopicCheck extends TopicNeeds {
  /** The topic for commands. */
  readonly topic: string;
  /** There when dead letters are copied: the topic for them. */
  readonly deadLetterTopic?: string | undefined;
}

/** What was found. Topics that are missing are undefined, and told among the findings. */
export interface TopicReport {
  readonly topic: TopicFacts | undefined;
  readonly guardTopic: GuardTopic | undefined;
  readonly deadLetterTopic: TopicFacts | undefined;
  readonly findings: readonly TopicFinding[];
}

/** Looks at the topics, and changes nothing. Rejects only with what keeps it from looking. */
export async function checkTopic(options: AdministrationOptions & TopicCheck): Promise<TopicReport> {
  await using administration = await TopicAdministration.open(options);
  return await inspect(administration, options);
}

/** The same over connections that are there already. */
export async function inspect(
  administration: TopicAdministration,
  check: TopicCheck & Pick<AdministrationOptions, 'clock'>,
): Promise<TopicReport> {
  const topic = await administration.describe(check.topic);
  const guardTopic = await readGuard(administration, check.clock, check.topic);
  const copies = check.deadLetterTopic;
  const deadLetterTopic = copies === undefined ? undefined : await administration.describe(copies);
  const moved = guardTopic?.guard?.movedTo;
  // It was closed with that, and nothing about it is to be mended.
  if (moved !== undefined) return { topic, guardTopic, deadLetterTopic, findings: [movedFinding(check.topic, moved)] };
  const findings = topic === undefined ? [missing(check.topic)] : [...judgeTopic(topic, guardTopic?.guard, check)];
  if (guardTopic !== undefined) findings.push(...judgeGuardTopic(guardTopic.facts));
  if (deadLetterTopic !== undefined) findings.push(...judgeDeadLetterTopic(deadLetterTopic));
  else if (copies !== undefined) findings.push(missing(copies));
  return { topic, guardTopic, deadLetterTopic, findings };
}

/** A topic that may be used. */
export interface UsableTopic {
  readonly topic: TopicFacts;
  readonly guard: Guard;
  /** The topic that holds the guard. */
  readonly guardFacts: TopicFacts;
}

/**
 * The topic and its guard, if nothing stands against using them. Throws `QUEUE_MOVED` for a topic whose commands went to
 * another one, else `QUEUE_UNSAFE` with all problems and how to mend them.
 */
export function usable({ topic, guardTopic, findings }: TopicReport, servers: string): UsableTopic {
  const guard = guardTopic?.guard;
  if (topic !== undefined) refuseMoved(topic.name, guard);
  const problems = findings.filter(({ severity }) => severity === 'problem');
  if (topic !== undefined && guardTopic !== undefined && guard !== undefined && problems.length === 0) {
    return { topic, guard, guardFacts: guardTopic.facts };
  }
  throw unsafe(problems, servers);
}

/** Throws `QUEUE_MOVED` for a topic whose commands went to another one. */
export function refuseMoved(name: string, guard: Guard | undefined): void {
  if (guard?.movedTo === undefined) return;
  const { what, remedy } = movedFinding(name, guard.movedTo);
  throw new PersistenceError('QUEUE_MOVED', `${what}: ${remedy}`);
}

/** All problems in one error, and the command that mends those that settings mend. */
export function unsafe(problems: readonly TopicFinding[], servers: string): PersistenceError {
  const changes = problems.flatMap(({ change }) => (change === undefined ? [] : [change]));
  const told = problems.map(({ what, remedy, change }) => (change === undefined ? `${what}; ${remedy}` : what));
  const commands = changeCommands(changes, servers);
  const mend =
    commands.length === 0 ? '' : `. To mend the settings: macp-persist init --repair, or ${commands.join('; ')}`;
  return new PersistenceError('QUEUE_UNSAFE', `${told.join('. ')}${mend}`);
}

/** The commands of Kafka's own tools that make the changes, one a topic. */
export function changeCommands(changes: readonly SettingChange[], servers: string): readonly string[] {
  const byTopic = new Map<string, string[]>();
  for (const { topic, setting, value } of changes) {
    byTopic.set(topic, [...(byTopic.get(topic) ?? []), `${setting}=${value}`]);
  }
  return [...byTopic].map(
    ([topic, settings]) =>
      `kafka-configs.sh --bootstrap-server ${servers} --alter --entity-type topics --entity-name ${topic} --add-config ${settings.join(',')}`,
  );
}

function missing(name: string): TopicFinding {
  return {
    severity: 'problem',
    what: `topic ${name} is missing`,
    remedy: 'macp-persist init makes it',
    isMadeByInit: true,
  };
}

function movedFinding(name: string, movedTo: string): TopicFinding {
  return {
    severity: 'problem',
    what: `the commands of topic ${name} go to topic ${movedTo} now`,
    remedy: `name that one instead; ${guardTopicOf(name)} says so`,
  };
}
