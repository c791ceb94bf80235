import { describe, expect, test } from 'vitest';
import type { SourceId } from '../../../src/domain/plan.ts';
import { changeCommands } from '../../../src/queues/kafka/topics/check-topic.ts';
import { decodeGuard, encodeGuard, type Guard } from '../../../src/queues/kafka/topics/guard.ts';
import type { TopicFacts } from '../../../src/queues/kafka/topics/topic-administration.ts';
import { judgeDeadLetterTopic, judgeGuardTopic, judgeTopic } from '../../../src/queues/kafka/topics/topic-findings.ts';

const soundSettings = {
  'cleanup.policy': 'delete',
  'retention.ms': '604800000',
  'retention.bytes': '-1',
  'max.message.bytes': '17825792',
  'min.insync.replicas': '2',
  'unclean.leader.election.enable': 'false',
  'message.timestamp.type': 'LogAppendTime',
};
const guard: Guard = { topicId: 'id', partitions: 8 };
const needs = { minimumRetentionMs: 604_800_000, batchBytes: 1_048_576 };

function facts(settings: Readonly<Record<string, string>> = {}, more: Partial<TopicFacts> = {}): TopicFacts {
  const all = new Map(Object.entries({ ...soundSettings, ...settings }));
  return { name: 'commands', id: 'id', partitions: 8, replicas: 3, settings: all, ...more };
}

describe('a topic for commands', () => {
  test('that is sound has nothing said against it', () => {
    expect(judgeTopic(facts(), guard, needs)).toEqual([]);
    expect(judgeTopic(facts({ 'retention.ms': '-1' }), guard, needs)).toEqual([]);
  });

  test.each([
    ['cleanup.policy', 'compact', 'delete'],
    ['cleanup.policy', 'compact,delete', 'delete'],
    ['cleanup.policy', 'delete,compact', 'delete'],
    ['retention.ms', '604799999', '604800000'],
    ['max.message.bytes', '16842751', '17825792'],
    ['min.insync.replicas', '4', '2'],
  ])('with %s = %s would lose commands or take none; %s mends it', (setting, value, mended) => {
    const [finding, ...rest] = judgeTopic(facts({ [setting]: value }), guard, needs);
    expect(rest).toEqual([]);
    expect(finding).toMatchObject({ severity: 'problem', change: { topic: 'commands', setting, value: mended } });
  });

  test.each([
    ['retention.bytes', '1073741824', '-1'],
    ['min.insync.replicas', '1', '2'],
    ['unclean.leader.election.enable', 'true', 'false'],
    ['message.timestamp.type', 'CreateTime', 'LogAppendTime'],
  ])('with %s = %s is used, with a warning', (setting, value, better) => {
    const findings = judgeTopic(facts({ [setting]: value }), guard, needs);
    expect(findings).toMatchObject([{ severity: 'warning', change: { topic: 'commands', setting, value: better } }]);
  });

  test('with one replica is used, with a warning', () => {
    const findings = judgeTopic(facts({ 'min.insync.replicas': '1' }, { replicas: 1 }), guard, needs);
    expect(findings.map(({ severity }) => severity)).toEqual(['warning']);
  });

  test('takes the batches that are published to it, or is refused', () => {
    const large = { ...needs, batchBytes: 20_000_000 };
    expect(judgeTopic(facts(), guard, large)).toMatchObject([{ severity: 'problem', change: { value: '20000000' } }]);
  });

  test('that was made by accident, made anew, grown or is being filled is refused, and no setting mends that', () => {
    const problems = [
      judgeTopic(facts(), undefined, needs),
      judgeTopic(facts({}, { id: 'another' }), guard, needs),
      judgeTopic(facts({}, { partitions: 9 }), guard, needs),
      judgeTopic(facts(), { ...guard, isUnfinished: true }, needs),
    ];
    for (const findings of problems) {
      expect(findings.map(({ severity, change }) => [severity, change])).toEqual([['problem', undefined]]);
    }
  });
});

test('the guard must not be deleted after a while', () => {
  expect(judgeGuardTopic(facts({ 'cleanup.policy': 'compact' }))).toEqual([]);
  expect(judgeGuardTopic(facts())).toMatchObject([{ severity: 'problem' }]);
});

test('a topic for dead letters that is weak is used, with a warning', () => {
  expect(judgeDeadLetterTopic(facts({ 'max.message.bytes': '18874368' }))).toEqual([]);
  const weak = judgeDeadLetterTopic(facts({ 'cleanup.policy': 'compact' }));
  expect(weak.map(({ severity, change }) => [severity, change?.setting])).toEqual([
    ['warning', 'max.message.bytes'],
    ['warning', 'cleanup.policy'],
  ]);
});

test('the commands that mend settings are one a topic', () => {
  const change = (topic: string, setting: string, value: string) => ({ topic, setting, value });
  expect(changeCommands([change('a', 'x', '1'), change('b', 'y', '2'), change('a', 'z', '3')], 'k:9092')).toEqual([
    'kafka-configs.sh --bootstrap-server k:9092 --alter --entity-type topics --entity-name a --add-config x=1,z=3',
    'kafka-configs.sh --bootstrap-server k:9092 --alter --entity-type topics --entity-name b --add-config y=2',
  ]);
});

describe('a guard', () => {
  const continues = { source: 'kafka:old' as SourceId, from: new Map([[0, 3]]), to: new Map([[0, 9]]) };

  test.each<Guard>([
    { topicId: 'id', partitions: 8 },
    { topicId: 'id', partitions: 8, movedTo: 'other' },
    { topicId: '', partitions: 8, continues, isUnfinished: true },
    { topicId: 'id', partitions: 8, continues, movedTo: 'other' },
  ])('is read back as it was written', (written) => {
    expect(decodeGuard('commands', encodeGuard(written))).toEqual(written);
  });

  test.each([
    '',
    'null',
    '[]',
    '{}',
    '{"version":1}',
    '{"version":0,"topicId":"id","partitions":8}',
    '{"version":1,"topicId":1,"partitions":8}',
    '{"version":1,"topicId":"id","partitions":0}',
    '{"version":1,"topicId":"id","partitions":8,"movedTo":1}',
    '{"version":1,"topicId":"id","partitions":8,"unfinished":"yes"}',
    '{"version":1,"topicId":"id","partitions":8,"continues":{"source":"s","from":{"0":1}}}',
    '{"version":1,"topicId":"id","partitions":8,"continues":{"source":"s","from":{"x":1},"to":{}}}',
    '{"version":1,"topicId":"id","partitions":8,"continues":{"source":"s","from":{"0":"1"},"to":{}}}',
  ])('that nobody wrote is refused: %s', (text) => {
    expect(() => decodeGuard('commands', Buffer.from(text))).toThrow(
      expect.objectContaining({ code: 'QUEUE_CORRUPT' }),
    );
  });

  test('of a newer release is refused as such', () => {
    const newer = Buffer.from('{"version":2,"anything":"else"}');
    expect(() => decodeGuard('commands', newer)).toThrow(expect.objectContaining({ code: 'QUEUE_TOO_NEW' }));
  });
});
