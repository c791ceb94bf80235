import { describe, expect, test } from 'vitest';
import type { NumberedCommand } from '../../../src/domain/command.ts';
import type { SessionId } from '../../../src/domain/identifiers.ts';
import { encodeEvent } from '../../../src/domain/wire/structured.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import { EventSupply } from '../../../src/repair/event-supply.ts';
import { type RepairReport, repairSessions } from '../../../src/repair/repair-sessions.ts';
import { StoreSupply } from '../../../src/repair/store-supply.ts';
import type { Supply } from '../../../src/repair/supply.ts';
import { listSessions } from '../../../src/service/session-list.ts';
import { append, create, entryText, numbered } from '../../support/commands.ts';
import { WorkingSystem } from '../../support/working-system.ts';

const session = 'a-session-of-the-tests-1' as SessionId;

/** Commands 1 to `count`: the first makes the session known, the others append. */
function life(count: number): readonly NumberedCommand[] {
  return Array.from({ length: count }, (_, index) => (index === 0 ? create(1) : append(index + 1, `m${index + 1}`)));
}

/** A system that got these commands and has done with them what can be done. */
async function systemWith(commands: readonly NumberedCommand[]): Promise<WorkingSystem> {
  const system = new WorkingSystem().work();
  if (commands.length > 0) await system.queue.publish(commands);
  await system.caughtUp();
  return system;
}

function repair(system: WorkingSystem, supply: Supply, only?: SessionId): Promise<RepairReport> {
  return repairSessions(supply, {
    service: {
      listSessions: (query) => listSessions(system.store, systemClock, query),
      cursor: async (id) => {
        const [cursor] = await system.store.readCursors([id]);
        if (cursor === undefined) throw new Error('no such session');
        return cursor;
      },
      publish: (request) => system.publishing.publish(request),
    },
    session: only,
    timeout: 10_000,
    signal: new AbortController().signal,
    onSent: () => undefined,
  });
}

function file(...commands: readonly NumberedCommand[]): EventSupply {
  const text = Buffer.concat(commands.flatMap((command) => [encodeEvent(command), Buffer.from('\n')]));
  return new EventSupply(async function* () {
    yield Buffer.from('no event at all\n');
    yield text;
  });
}

const marks = (system: WorkingSystem): Promise<readonly string[]> => system.marks(session);
const inOrder = (count: number): string[] => Array.from({ length: count - 1 }, (_, index) => `m${index + 2}`);

describe('a file that still has the missing commands', () => {
  test('frees a session, and what waited is applied in order', async () => {
    const all = life(9);
    await using system = await systemWith(all.filter(({ sequence }) => ![2, 5, 6].includes(sequence)));
    expect(await marks(system)).toEqual([]);
    expect(await repair(system, file(...all))).toMatchObject({ blocked: 1, applied: 3, undecided: 0, left: new Map() });
    expect(await marks(system)).toEqual(inOrder(9));
    expect(await system.filed(session)).toEqual([]);
  });

  test('may be in any order, and may lack some', async () => {
    const all = life(9);
    await using system = await systemWith(all.filter(({ sequence }) => [1, 4, 9].includes(sequence)));
    const some = all.filter(({ sequence }) => sequence !== 7).reverse();
    const report = await repair(system, file(...some));
    expect(report).toMatchObject({ blocked: 1, applied: 4 });
    expect([...report.left]).toEqual([[session, expect.objectContaining({ sequence: 7 })]]);
    expect(await marks(system)).toEqual(inOrder(6));
  });

  test('brings the first command of a session that nobody writes yet', async () => {
    const all = life(3);
    await using system = await systemWith(all.slice(1));
    expect(await repair(system, file(...all), session)).toMatchObject({ applied: 1, left: new Map() });
    expect(await marks(system)).toEqual(inOrder(3));
  });

  test('of another writer, or another number, changes nothing', async () => {
    const all = life(4);
    await using system = await systemWith(all.filter(({ sequence }) => sequence !== 2));
    const others = [
      numbered('macp.log.append.v1', 2, entryText('foreign'), { writer: '//test/other' }),
      numbered('macp.log.append.v1', 5, entryText('later')),
    ];
    const report = await repair(system, file(...others));
    expect(report).toMatchObject({ blocked: 1, applied: 0 });
    expect(report.left.size).toBe(1);
    expect(await marks(system)).toEqual([]);
  });
});

describe('another store of the same commands', () => {
  test('frees a session by what it has applied lately, recognized by its digest', async () => {
    const all = life(12);
    await using system = await systemWith(all.filter(({ sequence }) => ![3, 8].includes(sequence)));
    await using whole = await systemWith(all);
    expect(await repair(system, new StoreSupply(whole.store))).toMatchObject({ applied: 2, left: new Map() });
    expect(await marks(system)).toEqual(inOrder(12));
  });

  test('has whatever it keeps of it: parked commands, snapshot, receipt, anchor, a log that was replaced', async () => {
    const all = [
      create(1),
      numbered('macp.log.replace.v1', 2, `[${entryText('a')},${entryText('b')}]`),
      append(3, 'c'),
      numbered('macp.receipt.store.v1', 4, 'receipt'),
      numbered('macp.anchor.store.v1', 5, 'anchor'),
      append(6, 'd'),
      append(8, 'f'),
    ];
    const missing = [2, 4, 5, 8];
    await using system = await systemWith([
      ...all.filter(({ sequence }) => !missing.includes(sequence)),
      append(7, 'e'),
      append(9, 'g'),
    ]);
    await using other = await systemWith(all);
    expect(await repair(system, new StoreSupply(other.store))).toMatchObject({ applied: 4, left: new Map() });
    expect(await marks(system)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  });

  test('that has only older commands leaves the session as it is', async () => {
    const all = life(30);
    await using system = await systemWith(all.filter(({ sequence }) => sequence !== 3));
    await using whole = await systemWith(all);
    const report = await repair(system, new StoreSupply(whole.store));
    expect(report).toMatchObject({ blocked: 1, applied: 0 });
    expect(report.left.size).toBe(1);
  });
});

test('a halted session, and one that waits for nothing, are left to themselves', async () => {
  const conflict = [create(1), append(2, 'one'), append(2, 'other'), append(4, 'four')];
  await using system = await systemWith(conflict);
  expect(await repair(system, file(...life(4)))).toEqual({ blocked: 0, applied: 0, undecided: 0, left: new Map() });
});
