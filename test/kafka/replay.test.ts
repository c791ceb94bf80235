import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from '../../scripts/project.mjs';
import { asAdmin } from '../support/kafka.ts';
import { killReplays, type ReplayDocument } from '../support/killed-replays.ts';
import { TopicProgram } from '../support/topic-program.ts';

const golden = (path: string): string => readFileSync(join(root, 'test/fixtures/golden', path), 'utf8');
const first = golden('v0.4.0/commands.ndjson');
const second = golden('v0.13.0/commands.ndjson');
const kills = 4 * Number(process.env['CRASH_FACTOR'] ?? 1);

interface Status {
  readonly queue: { readonly partitions: readonly { readonly partition: number; readonly persisted: number }[] };
}

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

test('where early commands are gone, it names the sessions, and a backup begins for them', async () => {
  await using cut = await TopicProgram.init(2);
  await cut.json(['publish', '-'], { input: first });
  await cut.json([...catchUp, '--store', 'level:old']);
  await cut.json(['publish', '-'], { input: second });
  const edge = golden('edge/commands.ndjson');
  const half = edge.slice(0, edge.indexOf('\n', edge.length / 2) + 1);
  await cut.json(['publish', '-'], { input: half });
  await cut.json([...catchUp, '--store', 'level:backup', '--kafka-group', `${cut.topic}-backup`]);
  await cut.json(['publish', '-'], { input: edge.slice(half.length) });
  const [{ queue } = { queue: { partitions: [] } }] = await cut.json<Status>(['status', '--store', 'level:backup']);
  const partitions = queue.partitions.map(({ partition, persisted }) => ({ partition, offset: `${persisted - 3}` }));
  await asAdmin(cut.kafka, async (admin) => {
    await admin.fetchTopicMetadata({ topics: [cut.topic] });
    await admin.deleteTopicRecords({ topic: cut.topic, partitions });
  });
  const refused = await cut.run(['replay', '--to', 'level:refused', '--json']);
  expect([refused.code, refused.stderr]).toEqual([10, expect.stringContaining('--base STORE_URL')]);
  const lost = refused.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lost.length).toBeGreaterThan(0);
  expect(lost[0]).toEqual({ session_id: expect.any(String), whole: false });
  const early = await cut.run(['replay', '--to', 'level:refused', '--base', 'level:old', '--json']);
  expect([early.code, early.stderr]).toEqual([10, expect.stringContaining('use a newer one')]);
  const [built] = await cut.json<ReplayDocument>(['replay', '--to', 'level:built', '--base', 'level:backup']);
  await cut.json([...catchUp, '--store', 'level:backup', '--kafka-group', `${cut.topic}-backup`]);
  const [whole] = await cut.json<ReplayDocument>(['export', '--store', 'level:backup', '--to', 'level:exported']);
  expect(built).toMatchObject({ sha256: whole?.sha256, sessions: whole?.sessions });
});

test('beside a worker that goes on, a store is built, switched to, and back', async () => {
  await using own = await TopicProgram.init(4);
  const data = ['--data-dir', 'data'];
  await own.json(['publish', '-'], { input: first });
  const blue = own.start(['worker', '--json', ...data]);
  await blue.until(({ partitions }) => partitions.length === 4);
  await own.json<ReplayDocument>(['replay', '--to', 'level:green', ...data]);
  await own.json(['publish', '-'], { input: second });
  const [switched] = await own.json(['switch', '--to', 'level:green', ...data]);
  expect(switched).toMatchObject({ behind: null });
  expect(await blue.stop()).toMatchObject({ code: 0 });
  await own.json([...catchUp, ...data]);
  const dump = async (): Promise<string> => (await own.run(['sessions', 'dump', ...data])).stdout;
  const green = await dump();
  await own.json(['switch', '--back', ...data]);
  await own.json([...catchUp, ...data]);
  expect(await dump()).toBe(green);
  expect(green.split('\n').length).toBeGreaterThan(40);
});

test('in Redis, another prefix is filled beside the workers, and they go over to it and back', async () => {
  await using own = await TopicProgram.init(4);
  const [blue, green] = [`${own.redis}-blue`, `${own.redis}-green`];
  await own.json(['publish', '-'], { input: first });
  const worker = own.start(['worker', '--json', '--store', blue]);
  await worker.until(({ partitions }) => partitions.length === 4);
  await own.json(['replay', '--to', green]);
  await own.json(['publish', '-'], { input: second });
  expect(await worker.stop()).toMatchObject({ code: 0 });
  for (const store of [green, blue]) await own.json([...catchUp, '--store', store]);
  const [one, other] = await Promise.all([green, blue].map((store) => own.run(['sessions', 'dump', '--store', store])));
  expect(one).toEqual(other);
});

test('over a store in Redis on which a worker works, it changes nothing that the worker would not', async () => {
  const store = `${program.redis}-worked`;
  const worker = program.start(['worker', '--json', '--store', store, '--worker-batch-commands', '16']);
  await program.run(['replay', '--to', store, '--worker-batch-commands', '16', '--json']);
  await worker.until(({ log }) => log.some(({ msg }) => msg === 'working on these partitions'));
  expect(await worker.stop()).toMatchObject({ code: 0 });
  expect(await replay('--to', store)).toMatchObject({ sha256: live.sha256, sessions: live.sessions });
});
