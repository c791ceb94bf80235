import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeEvent } from '../../../src/domain/wire/structured.ts';
import { nodeFileSystem } from '../../../src/platform/node-file-system.ts';
import type { QueuedDelivery, ReplayOptions } from '../../../src/ports/queue.ts';
import { type NdjsonSource, openNdjson } from '../../../src/queues/ndjson/ndjson-source.ts';
import { createMemoryStore } from '../../../src/stores/memory/memory-store.ts';
import { append, create } from '../../support/commands.ts';
import { freshDirectory } from '../../support/program.ts';
import { digestOf, rebuilt } from '../../support/rebuilding.ts';

let directory = '';
let file = '';
beforeEach(() => {
  directory = freshDirectory();
  file = join(directory, 'events.ndjson');
});
afterEach(() => rmSync(directory, { recursive: true }));

const open = (): Promise<NdjsonSource> => openNdjson({ file, fileSystem: nodeFileSystem });
const line = (command: Parameters<typeof encodeEvent>[0]): string => Buffer.from(encodeEvent(command)).toString();
/** Lines long enough that several chunks are read. */
const long = (mark: string): string => `${mark} ${'x'.repeat(90_000)}`;
const commands = [create(1), ...[2, 3, 4, 5, 6, 7].map((sequence) => append(sequence, long(`${sequence}`)))];

async function replayed(source: NdjsonSource, options: Partial<ReplayOptions> = {}): Promise<QueuedDelivery[]> {
  const deliveries: QueuedDelivery[] = [];
  for await (const batch of source.replay({ limits: { deliveries: 2, bytes: 1 << 20 }, ...options })) {
    expect(batch.length).toBeGreaterThan(0);
    expect(batch.length).toBeLessThanOrEqual(2);
    deliveries.push(...batch);
  }
  return deliveries;
}

test('every line that is not blank is a delivery, and any of them can be gone on behind', async () => {
  writeFileSync(file, `\n${commands.map(line).join('\n\r\n\n')}`);
  await using source = await open();
  const all = await replayed(source);
  expect(all.map(({ content }) => content.kind === 'numbered' && content.sequence)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  for (const [index, delivery] of all.entries()) {
    const start = { next: delivery.position.offset + 1, digest: delivery.recordDigest() };
    const rest = await replayed(source, { from: new Map([[0, start]]) });
    expect(rest.map(({ position }) => position)).toEqual(all.slice(index + 1).map(({ position }) => position));
    const other = { next: start.next, digest: all.at(index - 1)?.recordDigest() };
    const from = new Map([[0, other]]);
    await expect(replayed(source, { from })).rejects.toMatchObject({ code: 'SOURCE_LOST_HISTORY' });
    const ends = new Map([[0, start.next]]);
    expect(await replayed(source, { ends })).toHaveLength(index + 1);
  }
});

test('a file that more was appended to is the same source, and is gone on with, whether or not its last line had ended', async () => {
  const [first = '', ...others] = commands.map(line);
  writeFileSync(file, first);
  const target = createMemoryStore();
  for (const more of others) {
    await using source = await open();
    await rebuilt(source, target);
    appendFileSync(file, `\n${more}`);
  }
  await using source = await open();
  expect(await rebuilt(source, target)).toMatchObject({ deliveries: 1 });
  expect(await target.readSources()).toEqual([source.source]);
  const whole = createMemoryStore();
  await rebuilt(source, whole);
  expect(await digestOf(target)).toBe(await digestOf(whole));
  expect((await whole.readTotals()).sessions).toBe(1);
});

test('a line that says nothing usable becomes a dead letter, as it would on a queue', async () => {
  writeFileSync(file, `${line(create(1))}\nno event\n${line(append(2, 'two'))}\n{"specversion":"1.0"}\n`);
  await using source = await open();
  const target = createMemoryStore();
  const { tally } = await rebuilt(source, target);
  expect(tally).toMatchObject({ applied: 2, deadLetters: { refused: 2 } });
});

test('it ends before the first event at or after a time; an event that tells no time does not end it', async () => {
  const event = (sequence: number, time: string | undefined): string =>
    line({ ...append(sequence, 'm'), ...(time === undefined ? {} : { time }) });
  const times = ['2026-01-01T00:00:00Z', undefined, '2026-01-02T00:00:00+01:00', '2026-01-01T00:00:00Z'];
  writeFileSync(file, times.map((time, index) => `${event(index + 1, time)}\n`).join(''));
  await using source = await open();
  const count = async (time: string): Promise<number> => (await replayed(source, { before: Date.parse(time) })).length;
  expect(await count('2026-01-01T00:00:00Z')).toBe(0);
  expect(await count('2026-01-01T23:00:00Z')).toBe(2);
  expect(await count('2026-01-01T23:00:01Z')).toBe(4);
});

test('an empty file holds nothing, and one that is not there cannot be read', async () => {
  await expect(open()).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  writeFileSync(file, '');
  await using source = await open();
  expect(await replayed(source)).toEqual([]);
});

test('a line that no event can be as long as is named by its place', async () => {
  writeFileSync(file, `${line(create(1))}\n`);
  for (let part = 0; part < 65; part += 1) appendFileSync(file, 'y'.repeat(1 << 20));
  await using source = await open();
  await expect(replayed(source)).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringContaining(`at byte ${line(create(1)).length + 1}`),
  });
});
