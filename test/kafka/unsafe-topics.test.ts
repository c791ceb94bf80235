import { describe, expect, test } from 'vitest';
import { provideKafka, runTool } from '../../scripts/services/kafka-installation.mjs';
import { createTopic } from '../support/kafka.ts';
import type { Ending } from '../support/program.ts';
import { TopicProgram } from '../support/topic-program.ts';

const week = 7 * 24 * 60 * 60 * 1_000;
const caughtUp = ['worker', '--exit-when-caught-up', '--log-level', 'fatal'];
const init = ['init', '--kafka-partitions', '2'];

/** A topic as Kafka itself makes it when somebody publishes to one that is missing. */
async function accidental(settings: Readonly<Record<string, string>> = {}): Promise<TopicProgram> {
  const program = new TopicProgram();
  await createTopic(program.kafka, { topic: program.topic, numPartitions: 2, settings });
  return program;
}

function refused(ending: Ending, ...says: readonly string[]): void {
  expect([ending.code, ending.stdout]).toEqual([14, '']);
  expect(ending.stderr).toMatch(/^macp-persist: QUEUE_UNSAFE: /);
  for (const text of says) expect(ending.stderr).toContain(text);
}

interface Doctor {
  readonly findings: readonly { readonly subject: string; readonly result: string; readonly found: string }[];
}

/** The problems that doctor finds, and what it says that has to be changed. */
async function doctor(program: TopicProgram, ...words: readonly string[]): Promise<readonly string[]> {
  const { code, stdout } = await program.run(['doctor', '--json', ...words]);
  const { findings }: Doctor = JSON.parse(stdout);
  const problems = findings.filter(({ result }) => result === 'problem');
  expect(code).toBe(problems.length === 0 ? 0 : 14);
  return problems.filter(({ subject }) => subject === 'kafka').map(({ found }) => found);
}

describe.concurrent('a topic that would lose commands is refused by everybody', () => {
  test('one that is missing: init makes it, and says nothing of it a second time', async () => {
    await using program = new TopicProgram();
    const input =
      '{"specversion":"1.0","id":"a/1/1","source":"//me","type":"macp.session.create.v1","subject":"a","macpsequence":1,"macpepoch":1}\n';
    const missing = `topic ${program.topic} is missing; macp-persist init makes it`;
    refused(await program.run(caughtUp), missing);
    refused(await program.run(['publish', '-'], { input }), missing);
    expect(await doctor(program)).toEqual(
      ['', '.dead-letters'].map((suffix) => `topic ${program.topic}${suffix} is missing`),
    );
    const made = await program.run(init);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout.match(/^(made|noted) .*$/gm)).toEqual([
      expect.stringContaining(`made topic ${program.topic} (partitions: 2, `),
      expect.stringContaining(`made topic ${program.topic}.macp-persist (partitions: 1, `),
      `noted that topic ${program.topic} is for commands, in 2 partitions`,
      expect.stringContaining(`made topic ${program.topic}.dead-letters (partitions: 2, `),
    ]);
    expect((await program.run(init)).stdout).toMatch(/^Everything is as it has to be\.$/m);
    const other = await program.run(['init', '--kafka-partitions', '3']);
    expect([other.code, other.stderr]).toEqual([
      2,
      expect.stringMatching(/has 2 partitions, not 3: .* set kafka.partitions to 2/),
    ]);
    expect(await program.run(['publish', '-'], { input })).toMatchObject({ code: 0 });
    expect(await program.run(caughtUp)).toMatchObject({ code: 0 });
  });

  test('one that was made by accident, until init has looked at it', async () => {
    await using program = await accidental({ 'max.message.bytes': `${20 * 1024 * 1024}` });
    const accident = `topic ${program.topic} was not set up for commands: it may have been made by accident`;
    refused(await program.run(caughtUp), `${accident}; macp-persist init checks it and sets it up`);
    expect(await doctor(program)).toContain(accident);
    expect((await program.run(init)).stdout).toMatch(
      `noted that topic ${program.topic} is for commands, in 2 partitions`,
    );
    expect(await program.run(caughtUp)).toMatchObject({ code: 0 });
    expect(await doctor(program)).toEqual([]);
  });

  test('one that is compacted and keeps too little: init refuses it with the command that mends it', async () => {
    await using program = await accidental({
      'cleanup.policy': 'compact',
      'retention.ms': '60000',
      'max.message.bytes': '1000000',
    });
    const problems = [
      `cleanup.policy of topic ${program.topic} is compact: of several commands of a session only the last would stay`,
      `retention.ms of topic ${program.topic} is 60000: commands would be gone before the ${week} ms that are set as kafka.retention`,
      `max.message.bytes of topic ${program.topic} is 1000000: a large command or batch, of up to 16842752 bytes, would be refused`,
    ];
    const ending = await program.run(init);
    refused(ending, ...problems, 'To mend the settings: macp-persist init --repair, or kafka-configs.sh ');
    refused(await program.run(caughtUp), ...problems);
    const told = await doctor(program);
    expect(told).toEqual(expect.arrayContaining(problems));

    // The command as it stands there, with Kafka's own tool.
    const [, words = ''] = /kafka-configs\.sh (.*)$/m.exec(ending.stderr) ?? [];
    runTool(await provideKafka(), 'kafka.admin.ConfigCommand', words.split(' '));
    expect(await program.run(init)).toMatchObject({ code: 0, stderr: '' });
    expect(await program.run(caughtUp)).toMatchObject({ code: 0 });

    const longer = ['--kafka-retention', '30d'];
    const short = `retention.ms of topic ${program.topic} is ${week}: commands would be gone before the 2592000000 ms that are set as kafka.retention`;
    refused(await program.run([...caughtUp, ...longer]), short);
    expect(await doctor(program, ...longer)).toEqual([short]);
    const repaired = await program.run([...init, '--repair', ...longer]);
    expect(repaired.stdout).toContain(`set retention.ms of topic ${program.topic} to 2592000000\n`);
    expect(await program.run([...caughtUp, ...longer])).toMatchObject({ code: 0 });
  });
});
