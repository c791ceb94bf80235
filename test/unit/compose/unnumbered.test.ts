import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, expect, test } from 'vitest';
import { loadConfiguration } from '../../../src/compose/settings.ts';
import { refuseUnnumbered } from '../../../src/compose/unnumbered.ts';
import { createMemoryStore } from '../../../src/stores/memory/memory-store.ts';
import { StoreSource } from '../../../src/transfer/store-source.ts';

const directory = mkdtempSync(join(tmpdir(), 'macp-persist-unnumbered-'));
afterAll(() => rmSync(directory, { recursive: true }));

async function remarksOf(queue: string, store: string): Promise<readonly string[]> {
  const { values } = await loadConfiguration({
    flags: new Map([
      ['queue', queue],
      ['store', store],
      ['data-dir', directory],
    ]),
    configFile: undefined,
    environment: {},
    workingDirectory: directory,
    mistakes: [],
  });
  const remarks: string[] = [];
  const onRemark = (text: string) => remarks.push(text);
  await refuseUnnumbered({
    values,
    logger: pino({ level: 'silent' }),
    source: new StoreSource(createMemoryStore()),
    onRemark,
  });
  return remarks;
}

test.each([
  ['level', 'level'],
  ['memory', 'memory:'],
])(
  'where others consume the queue, a %s store that is not there is told: theirs cannot be looked at',
  async (_, store) => {
    const [remark, ...more] = await remarksOf('kafka://localhost:9092/commands', store);
    expect(remark).toMatch(/^There is no store at .* to look into\. .* will stand there twice\.$/);
    expect(more).toEqual([]);
  },
);

test('nothing is told where nobody else consumes the queue', async () => {
  expect(await remarksOf('embedded', 'level')).toEqual([]);
});
