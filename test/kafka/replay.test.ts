import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from '../../scripts/project.mjs';
import { killReplays, type ReplayDocument } from '../support/killed-replays.ts';
import { TopicProgram } from '../support/topic-program.ts';

const golden = (path: string): string => readFileSync(join(root, 'test/fixtures/golden', path), 'utf8');
const first = golden('v0.4.0/commands.ndjson');
const second = golden('v0.13.0/commands.ndjson');
const kills = 4 * Number(process.env['CRASH_FACTOR'] ?? 1);

let program: TopicProgram;
/** When only the first stream was published. */
let between = '';
let live: ReplayDocument;

const replay = async (...words: readonly string[]): Promise<ReplayDocument> => {
  const [document] = await program.json<ReplayDocument>(['replay', ...words]);
  if (document === undefined) throw new Error('a replay said nothing');
  return document;
};
const exported = async (store: string, copy: string): Promise<ReplayDocument> => {
  const [document] = await program.json<ReplayDocument>(['export', '--store', store, '--to', copy]);
  if (document === undefined) throw new Error('an export said nothing');
  return document;
};
const catchUp = ['worker', '--exit-when-caught-up'];

beforeAll(async () => {
  program = await TopicProgram.init(8);
  await program.json(['publish', '-'], { input: first });
  await program.json([...catchUp, '--store', 'level:first', '--kafka-group', `${program.topic}-first`]);
  await wait(50);
  between = new Date().toISOString();
  await wait(50);
  await program.json(['publish', '-'], { input: second });
  await program.json([...catchUp, '--store', 'level:live']);
  live = await exported('level:live', 'level:copy');
});
afterAll(() => program[Symbol.asyncDispose]());

test('a topic is replayed into the store that the workers made of it, without their group', async () => {
  const count = `${first}${second}`.split('\n').length - 1;
  const { sha256, sessions } = live;
  expect(await replay('--to', 'level:rebuilt')).toMatchObject({ commands: count, sha256, sessions });
  expect(await replay('--to', program.redis)).toMatchObject({ commands: count, sha256, sessions });
  expect(await replay('--to', 'level:live')).toMatchObject({ commands: 0, sha256, sessions });
  const dump = (await program.run(['sessions', 'dump', '--store', 'level:rebuilt'])).stdout;
  expect(dump).toBe((await program.run(['sessions', 'dump', '--store', 'level:live'])).stdout);
});

test('until a time it is the store of that time, and a worker goes on from there', async () => {
  const { sha256 } = await exported('level:first', 'level:copy-of-first');
  expect(await replay('--to', 'level:then', '--until', between)).toMatchObject({ sha256 });
  const group = ['--kafka-group', `${program.topic}-then`];
  const [worked] = await program.json([...catchUp, '--store', 'level:then', ...group]);
  expect(worked).toMatchObject({ deliveries: second.split('\n').length - 1, tally: { duplicates: 0 } });
  expect(await replay('--to', 'level:then')).toMatchObject({ commands: 0, sha256: live.sha256 });
});

test('a replay that is killed at any instant goes on, and ends the same', async () => {
  const { directory } = program;
  const source = ['--queue', `kafka://${program.kafka}/${program.topic}`];
  const target = (index: number): string => `level:killed-${index}`;
  const whole = await replay('--to', 'level:undisturbed');
  expect(whole.sha256).toBe(live.sha256);
  await killReplays({ directory, seed: Number(process.env['CRASH_SEED'] ?? 1), kills, source, target }, whole);
});

test('over a store in Redis on which a worker works, it changes nothing that the worker would not', async () => {
  const store = `${program.redis}-worked`;
  const worker = program.start(['worker', '--json', '--store', store, '--worker-batch-commands', '16']);
  await program.run(['replay', '--to', store, '--worker-batch-commands', '16', '--json']);
  await worker.until(({ log }) => log.some(({ msg }) => msg === 'working on these partitions'));
  expect(await worker.stop()).toMatchObject({ code: 0 });
  expect(await replay('--to', store)).toMatchObject({ sha256: live.sha256, sessions: live.sessions });
});
