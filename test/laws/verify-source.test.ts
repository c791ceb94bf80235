import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { queueAdapters } from '../../src/compose/adapters.ts';
import { openStore } from '../../src/compose/open.ts';
import { storeAt } from '../../src/compose/store-url.ts';
import type { Difference, VerifyReport } from '../../src/compose/verify.ts';
import { verifyWithSource } from '../../src/compose/verify-source.ts';
import { createPipeline } from '../../src/compose/worker.ts';
import type { Values } from '../../src/configuration/settings.ts';
import type { NumberedCommand } from '../../src/domain/command.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import { encodeEvent } from '../../src/domain/wire/structured.ts';
import { EntryKeys } from '../../src/stores/level/keys.ts';
import { append, create, entryText, save } from '../support/commands.ts';
import { changeLevel } from '../support/corruptible-directories.ts';
import { valuesWith } from '../support/default-values.ts';

const sessions = 12;

/** Number `number` of each session; of one of them number 3 never comes, so that the others wait. */
function round(number: number): readonly NumberedCommand[] {
  return Array.from({ length: sessions }, (_, index) => ({ session: `session-${index}` })).flatMap((reign, index) => {
    if (index === 5 && number === 3) return [];
    if (number === 1) return [create(1, reign)];
    return [number % 4 === 0 ? save(number, `s${number}`, reign) : append(number, `m${number}`, reign)];
  });
}

let parent = '';
let values: Values;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'macp-persist-source-'));
  values = valuesWith({ 'data-dir': parent });
});
afterEach(() => rm(parent, { recursive: true }));

/** Publishes these rounds, and lets a worker persist all that is there. */
async function persist(first: number, last: number, persists = true): Promise<void> {
  const directory = join(parent, 'queue');
  await using queue = await queueAdapters.embedded?.open({ kind: 'embedded', directory }, values, () => undefined);
  if (queue === undefined) throw new Error('there is no embedded queue');
  for (let number = first; number <= last; number += 1) await queue.publish(round(number));
  if (!persists) return;
  await using store = await openStore(storeAt('level', values), values);
  await createPipeline(queue, store, values).runUntilCaughtUp();
}

async function verified(source?: string): Promise<{ report: VerifyReport; differences: readonly Difference[] }> {
  const differences: Difference[] = [];
  const report = await verifyWithSource('level', source, {
    values,
    signal: new AbortController().signal,
    onPhase: () => undefined,
    onProgress: () => undefined,
    onRemark: () => undefined,
    onDifference: async (difference) => void differences.push(difference),
  });
  return { report, differences };
}

describe('a store and the queue that it was filled from', () => {
  test('are the same, what waits included, and the store may be behind', async () => {
    await persist(1, 9);
    await persist(10, 11, false);
    const { report, differences } = await verified();
    expect(differences).toEqual([]);
    expect(report).toMatchObject({ sessions, differences: 0, unconsumed: 2 * sessions });
    expect(report.first.sha256).toBe(report.second.sha256);
  });

  test('differ where the store holds something else, and that is named', async () => {
    await persist(1, 9);
    const session = 'session-7' as SessionId;
    await changeLevel(join(parent, 'level'), (database) =>
      database.put(new EntryKeys(session, 0).at(2), Buffer.from(entryText('forged'))),
    );
    const { differences } = await verified();
    expect(differences).toMatchObject([{ session, part: 'entry', item: 2, relation: 'changed' }]);
  });

  test('do not belong together where the queue is another one', async () => {
    await persist(1, 9);
    await rm(join(parent, 'queue'), { recursive: true });
    await persist(1, 2, false);
    const { differences } = await verified();
    // Filled from elsewhere, the store is compared with all that this queue says.
    expect(differences.length).toBeGreaterThan(0);
  });
});

test('a store is compared with a file of all of its commands, whatever else it was filled from', async () => {
  await persist(1, 9);
  const file = join(parent, 'commands.ndjson');
  const commands = Array.from({ length: 9 }, (_, index) => round(index + 1)).flat();
  await writeFile(file, commands.map((command) => `${Buffer.from(encodeEvent(command)).toString()}\n`).join(''));
  const { report, differences } = await verified(`ndjson:${file}`);
  expect(differences).toEqual([]);
  expect(report).toMatchObject({ sessions, differences: 0 });
  await writeFile(
    file,
    commands
      .slice(0, -1)
      .map((command) => `${Buffer.from(encodeEvent(command)).toString()}\n`)
      .join(''),
  );
  expect((await verified(`ndjson:${file}`)).differences).not.toEqual([]);
});
