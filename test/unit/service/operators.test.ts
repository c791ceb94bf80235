import { describe, expect, test } from 'vitest';
import type { Command } from '../../../src/domain/command.ts';
import type { SessionId } from '../../../src/domain/identifiers.ts';
import type { FiledId, SourceId } from '../../../src/domain/plan.ts';
import { encodeBinary } from '../../../src/domain/wire/binary.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import type { DeadLetterQuery, DeadLetterSummary } from '../../../src/ports/service.ts';
import type { Store } from '../../../src/ports/store.ts';
import { createMemoryQueue, type MemoryQueue } from '../../../src/queues/memory/memory-queue.ts';
import { createOperators } from '../../../src/service/operators.ts';
import { createMemoryStore } from '../../../src/stores/memory/memory-store.ts';
import { append, claim, create, entryText, numbered, skip } from '../../support/commands.ts';
import { sequence, WorkingSystem } from '../../support/working-system.ts';

const session = 'a-session-of-the-tests-1' as SessionId;
const uuid = 'ec4bd4a0-3b1c-4f5a-9df3-15c0a2a6b001';
const two = { epoch: 2, writer: '//test/two' };
const canary = 'a mark that stands in data only';
const refused = numbered('macp.log.append.v1', 2, `{"secret":${JSON.stringify(canary)}}`);
const decision = { session, sequence: sequence(2), by: 'on call', reason: 'the bytes are gone' };
const correction = { session, sequence: sequence(2), type: 'macp.log.append.v1', data: Buffer.from(entryText('two')) };

function memoryQueue(): MemoryQueue {
  return createMemoryQueue({ source: 'memory:test' as SourceId, clock: systemClock, partitions: 2 });
}

/** Lets commands arrive as they are, whatever a publisher would have refused. */
function arrive(queue: MemoryQueue, commands: readonly Command[]): void {
  for (const command of commands) queue.inject(encodeBinary(command), 0);
}

/** Lets a command arrive just before the next one that is published. */
function arriveBefore(queue: MemoryQueue, command: Command): void {
  const publish = queue.publish.bind(queue);
  queue.publish = async (commands, signal) => {
    queue.publish = publish;
    await publish([command]);
    return await publish(commands, signal);
  };
}

/** A system whose session has number 2 refused, and 3 and 4 waiting. */
async function blocked(patience?: number): Promise<{ readonly queue: MemoryQueue; readonly system: WorkingSystem }> {
  const queue = memoryQueue();
  const system = new WorkingSystem({ queue, ...(patience === undefined ? {} : { patience }) }).work();
  arrive(queue, [create(1), refused, append(3, 'three'), append(4, 'four')]);
  await system.caughtUp();
  return { queue, system };
}

async function letters(
  { operators }: Pick<WorkingSystem, 'operators'>,
  query: Partial<DeadLetterQuery> = {},
): Promise<readonly DeadLetterSummary[]> {
  const found: DeadLetterSummary[] = [];
  for (let after: string | undefined; ; ) {
    const page = await operators.listDeadLetters({ limit: 1_000, ...query, after });
    found.push(...page.dead_letters);
    if (page.next === null) return found;
    after = page.next;
  }
}

describe('a skip', () => {
  test('frees the session: what waited is applied, and the dead letter tells who decided', async () => {
    const { system } = await blocked();
    await using _ = system;
    expect(await letters(system)).toMatchObject([{ reason: 'refused', state: 'open', decided: null }]);
    const result = await system.operators.skip(decision);
    expect(result).toMatchObject({ session_id: session, epoch: 1, sequence: 2, outcome: 'applied', dead_letter: null });
    expect(await system.marks(session)).toEqual(['three', 'four']);
    expect(await letters(system)).toMatchObject([
      { state: 'resolved', decided: { by: 'on call', reason: 'the bytes are gone' } },
    ]);
    expect(system.decided).toEqual([
      { kind: 'skip', by: 'on call', reason: 'the bytes are gone', type: 'macp.sequence.skip.v1', result },
    ]);
  });

  test('of two for one number counts once: the other one is told that it came too late', async () => {
    const { queue, system } = await blocked();
    await using _ = system;
    arriveBefore(queue, skip(2, 1, uuid));
    await expect(system.operators.skip(decision)).rejects.toMatchObject({
      code: 'DEAD_LETTERED',
      message: expect.stringMatching(/and nothing changed$/),
      results: [{ outcome: 'dead letter' }],
    });
    expect(await system.marks(session)).toEqual(['three', 'four']);
    expect(system.decided.map(({ result }) => result.outcome)).toEqual(['dead letter']);
  });

  test('that is asked for while another one is under way is not sent once the number is not open any more', async () => {
    const { system } = await blocked();
    await using _ = system;
    const answers = await Promise.allSettled([system.operators.skip(decision), system.operators.skip(decision)]);
    expect(answers).toMatchObject([
      { status: 'fulfilled', value: { outcome: 'applied' } },
      { status: 'rejected', reason: { code: 'NOT_OPEN' } },
    ]);
    expect(await system.filed(session)).toHaveLength(2);
  });

  test('that a claim came before is a dead letter and changes nothing', async () => {
    const { queue, system } = await blocked();
    await using _ = system;
    arrive(queue, [claim(2, '//test/two')]);
    await expect(system.operators.skip(decision)).rejects.toMatchObject({ code: 'DEAD_LETTERED' });
    const [cursor] = await system.watch.cursors([session]);
    expect(cursor).toMatchObject({ epoch: 2, last: 1, skipped: [] });
  });

  test('whose outcome is not known in time is answered as durable', async () => {
    const { system } = await blocked();
    await system[Symbol.asyncDispose]();
    await using idle = new WorkingSystem({ queue: system.queue, store: system.store, patience: 5 });
    expect(await idle.operators.skip(decision)).toMatchObject({ outcome: 'durable', dead_letter: null });
    expect(idle.decided).toHaveLength(1);
  });

  test.each([
    ['of a session that is not blocked', [create(1)], 2, 'NOT_OPEN'],
    ['of another number than the open one', [create(1), append(3, 'three')], 3, 'NOT_OPEN'],
    ['of a session without a writer', [append(3, 'three')], 1, 'NOT_OPEN'],
    ['of a halted session', [create(1), append(1, 'other'), append(2, 'two')], 2, 'NOT_OPEN'],
  ] as const)('%s is refused, and nothing is sent', async (_law, commands, number, code) => {
    await using system = new WorkingSystem().work();
    await system.queue.publish(commands);
    await system.caughtUp();
    const request = { ...decision, sequence: sequence(number) };
    await expect(system.operators.skip(request)).rejects.toMatchObject({ code });
    const bounds = await system.queue.bounds();
    expect([...bounds.values()].reduce((sum, { end }) => sum + end, 0)).toBe(commands.length);
    expect(system.decided).toEqual([]);
  });

  test('needs somebody who decides, and a reason', async () => {
    const { system } = await blocked();
    await using _ = system;
    for (const part of [{ by: ' ' }, { reason: '' }]) {
      await expect(system.operators.skip({ ...decision, ...part })).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    }
  });
});

describe('a repair', () => {
  test('brings other bytes for the open number, in the name of the reigning writer; what waited is applied', async () => {
    const { system } = await blocked();
    await using _ = system;
    const result = await system.operators.repair(correction);
    expect(result).toMatchObject({ writer: '//test/one', id: `${session}/1/2`, outcome: 'applied' });
    expect(await system.marks(session)).toEqual(['two', 'three', 'four']);
    expect(await letters(system)).toMatchObject([{ state: 'resolved', decided: null }]);
    expect(JSON.stringify(system.decided)).not.toContain('message_id');
  });

  test.each([
    ['data that a worker would refuse', { data: Buffer.from('{}') }, 'INVALID_DATA'],
    ['a type that carries no number', { type: 'macp.session.claim.v1' }, 'UNKNOWN_TYPE'],
    ['a number that is not open', { sequence: sequence(3) }, 'NOT_OPEN'],
  ])('with %s is refused, and nothing is sent', async (_law, part, code) => {
    const { system } = await blocked();
    await using _ = system;
    await expect(system.operators.repair({ ...correction, ...part })).rejects.toMatchObject({ code });
    expect(await system.marks(session)).toEqual([]);
    expect(system.decided).toEqual([]);
  });

  test('of two at once with different data is made by the first, and the second does not halt the session', async () => {
    const { system } = await blocked();
    await using _ = system;
    const other = { ...correction, data: Buffer.from(entryText('other')) };
    const answers = await Promise.allSettled([system.operators.repair(correction), system.operators.repair(other)]);
    expect(answers).toMatchObject([
      { status: 'fulfilled', value: { outcome: 'applied' } },
      { status: 'rejected', reason: { code: 'NOT_OPEN' } },
    ]);
    expect(await system.watch.cursors([session])).toMatchObject([{ last: 4, halted: false }]);
  });

  test('that the writer came before is a conflict, and the answer says what that does', async () => {
    const { queue, system } = await blocked();
    await using _ = system;
    arriveBefore(queue, append(2, 'from its writer'));
    await expect(system.operators.repair(correction)).rejects.toMatchObject({
      code: 'DEAD_LETTERED',
      message: expect.stringMatching(/halts the session until a claim$/),
    });
    expect(await system.watch.cursors([session])).toMatchObject([{ halted: true }]);
  });

  test('with what is a dead letter already is refused: it would be a duplicate of that', async () => {
    await using system = new WorkingSystem().work();
    const early = append(2, 'two', two);
    await system.queue.publish([create(1), early, claim(2, '//test/two'), append(3, 'three', two)]);
    await system.caughtUp();
    const same = { ...correction, data: early.data };
    await expect(system.operators.repair(same)).rejects.toMatchObject({ code: 'DEAD_LETTERED' });
    expect(system.decided).toEqual([]);
    expect(await system.operators.repair({ ...correction, data: Buffer.from(entryText('else')) })).toMatchObject({
      outcome: 'applied',
      writer: '//test/two',
    });
    expect(await system.marks(session)).toEqual(['else', 'three']);
  });
});

describe('dead letters', () => {
  test('stand the same after a replay of the queue into an empty store', async () => {
    const { queue, system } = await blocked();
    await using _ = system;
    await system.operators.skip(decision);
    arrive(queue, [numbered('macp.log.append.v1', 5, '[]'), skip(7, 1, uuid), append(1, 'other'), append(2, 'again')]);
    arrive(queue, [claim(2, '//test/two'), append(6, 'late'), append(5, 'five', two)]);
    arrive(queue, [numbered('macp.log.append.v1', 6, '{}', two)]);
    queue.inject({ key: undefined, headers: [], value: Buffer.from('no command') }, 1);
    await system.caughtUp();
    const before = await letters(system);
    expect(new Set(before.map(({ reason }) => reason))).toEqual(
      new Set(['refused', 'stale decision', 'conflict', 'skipped', 'fenced']),
    );
    expect(new Set(before.map(({ state }) => state))).toEqual(new Set(['open', 'resolved', 'kept']));
    await system[Symbol.asyncDispose]();
    await using replayed = new WorkingSystem({ queue, store: createMemoryStore() }).work();
    await replayed.caughtUp();
    expect(await letters(replayed)).toEqual(before);
  });

  test('are listed page by page, each once, and no other than those asked for', async () => {
    const queue = memoryQueue();
    await using system = new WorkingSystem({ queue }).work();
    const sessions = ['one', 'two', 'three'];
    for (const each of sessions) {
      const reign = { session: each };
      arrive(queue, [create(1, reign), numbered('macp.log.append.v1', 2, '{}', reign), append(1, 'other', reign)]);
      arrive(
        queue,
        Array.from({ length: 20 }, (_, index) => append(index + 3, 'late', { ...reign, epoch: 9 })),
      );
    }
    queue.inject({ key: undefined, headers: [], value: Buffer.from('no command') }, 1);
    await system.caughtUp();
    const all = await letters(system);
    expect(all).toHaveLength(3 * 22 + 1);
    expect(await letters(system, { limit: 1 })).toEqual(all);
    expect(await letters(system, { limit: 7, state: 'open' })).toEqual(all.filter(({ state }) => state === 'open'));
    expect(await letters(system, { limit: 7, reason: 'unclaimed', session: 'two' as SessionId })).toEqual(
      all.filter((letter) => letter.reason === 'unclaimed' && letter.session_id === 'two'),
    );
  });

  test('are all found, however little of the list is looked at for a page', async () => {
    const queue = memoryQueue();
    await using system = new WorkingSystem({ queue }).work();
    arrive(queue, [create(1), ...Array.from({ length: 100 }, (_, index) => append(index + 3, 'late', { epoch: 9 }))]);
    arrive(queue, [append(1, 'other')]);
    await system.caughtUp();
    let now = 0;
    const elapsed = (): number => {
      now += 1_000;
      return now;
    };
    const { store } = system;
    const operators = createOperators({ store, clock: { ...systemClock, elapsed }, decisions: undefined });
    const first = await operators.listDeadLetters({ limit: 1_000 });
    expect(first.dead_letters.length).toBeLessThan(101);
    expect(await letters({ operators })).toEqual(await letters(system));
    expect(await letters({ operators }, { reason: 'conflict' })).toHaveLength(1);
  });

  test('are read once for a list of all, where nobody decided about any', async () => {
    const queue = memoryQueue();
    await using system = new WorkingSystem({ queue }).work();
    arrive(queue, [create(1)]);
    for (let number = 2; number < 42; number += 1) {
      arrive(queue, [numbered('macp.log.append.v1', number, '{}'), append(number, 'corrected')]);
    }
    await system.caughtUp();
    let read = 0;
    const readFiled: Store['readFiled'] = async (holder, page) => {
      const found = await system.store.readFiled(holder, page);
      read += found.length;
      return found;
    };
    const store = new Proxy(system.store, {
      get(target, name) {
        const member: unknown = name === 'readFiled' ? readFiled : Reflect.get(target, name);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
    const operators = createOperators({ store, clock: systemClock, decisions: undefined });
    const all = await letters({ operators }, { limit: 16 });
    expect(all.map(({ state }) => state)).toEqual(Array.from({ length: 40 }, () => 'resolved'));
    expect(read).toBe(40);
  });

  test('are not listed after what no page gave', async () => {
    await using system = new WorkingSystem();
    const other = Buffer.from(`other\0${'a'.repeat(32)}`).toString('base64url');
    for (const query of [{ after: 'x' }, { after: '' }, { after: other, session }]) {
      await expect(system.operators.listDeadLetters({ limit: 1, ...query })).rejects.toMatchObject({
        code: 'INVALID_REQUEST',
      });
    }
    expect(await system.operators.listDeadLetters({ limit: 1, after: other })).toEqual({
      dead_letters: [],
      next: null,
    });
  });

  test('are shown whole, wherever they are, with what it takes to free the session', async () => {
    const { queue, system } = await blocked();
    await using _ = system;
    queue.inject({ key: undefined, headers: [['ce_type', Buffer.from('étrange')]], value: Buffer.from('x') }, 1);
    await system.caughtUp();
    const [homeless, letter] = await letters(system);
    if (letter === undefined || homeless === undefined) throw new TypeError('two dead letters were expected');
    const shown = await system.operators.showDeadLetter(letter.id, undefined);
    expect(shown).toEqual(await system.operators.showDeadLetter(letter.id, session));
    expect(shown).toMatchObject({ ...letter, type: 'macp.log.append.v1' });
    expect(Buffer.from(shown.message.value_base64, 'base64')).toEqual(refused.data);
    expect(new Map(shown.message.headers).get('ce_macpsequence')).toBe('2');
    expect(Buffer.from(shown.message.key_base64 ?? '', 'base64').toString()).toBe(session);
    expect(shown.remedies.join('\n')).toContain(`dead-letters skip ${session} --sequence 2`);
    expect(await system.operators.showDeadLetter(homeless.id, undefined)).toMatchObject({
      session_id: null,
      type: 'étrange',
      remedies: [],
    });
  });

  test('of a session are not shown for another one, and a decision is none', async () => {
    const { system } = await blocked();
    await using _ = system;
    const [letter] = await letters(system);
    await system.operators.skip(decision);
    const ids = (await system.filed(session)).map(({ id }) => id);
    const record = ids.find((id) => id !== letter?.id);
    const asked: readonly (readonly [string | undefined, string | undefined])[] = [
      [letter?.id, 'another'],
      [record, undefined],
      ['0'.repeat(32), undefined],
      ['not an id', undefined],
    ];
    for (const [id, holder] of asked) {
      const show = system.operators.showDeadLetter(id as FiledId, holder as SessionId | undefined);
      await expect(show).rejects.toMatchObject({ code: 'NOT_STORED' });
    }
  });

  test('can be read where there is no queue, and not be decided about', async () => {
    const { system } = await blocked();
    await using _ = system;
    const operators = createOperators({ store: system.store, clock: systemClock, decisions: undefined });
    expect(await letters({ operators })).toHaveLength(1);
    await expect(operators.skip(decision)).rejects.toMatchObject({ code: 'NOT_SUPPORTED' });
    await expect(operators.repair(correction)).rejects.toMatchObject({ code: 'NOT_SUPPORTED' });
  });
});
