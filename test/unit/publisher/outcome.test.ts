import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ClaimCommand, Command } from '../../../src/domain/command.ts';
import { type Cursor, initialCursor } from '../../../src/domain/cursor.ts';
import { filedId } from '../../../src/domain/rule/filed-id.ts';
import { contentOf } from '../../../src/domain/wire/content.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import { awaitOutcome, Outcomes } from '../../../src/publisher/outcomes.ts';
import { append, claim, create, skip } from '../../support/commands.ts';
import { turns } from '../../support/turns.ts';
import { WorkedQueue } from '../../support/worked-queue.ts';

const first = 'ec4bd4a0-3b1c-4f5a-9df3-15c0a2a6b001';
const second = 'ec4bd4a0-3b1c-4f5a-9df3-15c0a2a6b002';
const third = 'ec4bd4a0-3b1c-4f5a-9df3-15c0a2a6b003';
const one = { epoch: 1, writer: '//one' };
const two = { epoch: 2, writer: '//two' };

const rivals: readonly Command[] = [append(2, 'two', one), append(2, 'other two', one)];
/** What may be sent to one session: two reigns, holes, conflicts, decisions. */
const commands: readonly Command[] = [
  claim(1, '//one'),
  claim(2, '//two'),
  claim(2, '//late'),
  create(1, one),
  ...rivals,
  append(3, 'three', one),
  append(4, 'four', one),
  append(1, 'one', two),
  append(2, 'second of two', two),
  append(3, 'third of two', two),
  append(4, 'fourth of two', two),
  skip(2, 1, first),
  skip(2, 1, third),
  skip(2, 2, second),
];

describe('the outcome of a command', () => {
  test('is what the rule did with it, whenever and by whomever it is asked for', async () => {
    const sent = fc.array(fc.constantFrom(...commands), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(sent, fc.nat(12), async (deliveries, before) => {
        await using worked = new WorkedQueue();
        const ending = new AbortController();
        const known = new Map<Command, string>();
        const wait = (command: Command): Promise<void> =>
          worked.outcomes.of(command, ending.signal).then(
            (outcome) => void known.set(command, outcome.kind),
            () => undefined,
          );
        const waits = deliveries.slice(0, before).map(wait);
        await worked.queue.publish(deliveries);
        worked.work();
        await turns(40);
        waits.push(...deliveries.map(wait));
        await turns(40);
        ending.abort();
        await Promise.all(waits);
        const session = deliveries[0]?.session;
        if (session === undefined) throw new TypeError('something was sent');
        const [cursor = initialCursor] = await worked.watch.cursors([session]);
        const filed = await worked.store.readFiled(session, { limit: 100 });
        const log = new Set(await worked.log(session));
        for (const command of deliveries) {
          const id = filedId(contentOf(command));
          const outcome = known.get(command);
          const record = filed.find((each) => each.id === id);
          if (record?.kind === 'dead letter') expect(outcome).toBe('dead letter');
          else if (command.kind === 'skip') expect(outcome).toBe(record === undefined ? undefined : 'applied');
          else if (command.kind === 'claim') expect(outcome).toBe(hasReigned(command, cursor) ? 'applied' : undefined);
          else if (log.has(textOf(command))) expect(outcome).toBe('applied');
          // Once its reign has ended nobody knows any more which of two data a number had.
          else if (textOf(command) !== '' && !rivals.includes(command)) expect(outcome).toBe(undefined);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('of a number that was skipped before it came is not "applied", even once its reign has ended', async () => {
    await using worked = new WorkedQueue();
    worked.work();
    const late = append(1, 'late', one);
    const ending = new AbortController();
    const outcome = worked.outcomes.of(late, ending.signal);
    await worked.queue.publish([claim(1, '//one'), append(2, 'two', one), skip(1, 1, first)]);
    await turns();
    await worked.queue.publish([claim(2, '//two')]);
    await turns();
    ending.abort();
    await expect(outcome).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('of a decision is "applied" also when it takes effect between two looks at the store', async () => {
    await using worked = new WorkedQueue();
    worked.work();
    await worked.queue.publish([create(1, one), append(1, 'a conflict to find', two), append(3, 'three', one)]);
    await turns();
    const decision = skip(2, 1, first);
    const { watch } = worked;
    const outcomes = new Outcomes({
      clock: systemClock,
      watch: {
        cursors: (sessions) => watch.cursors(sessions),
        changed: (session, version, signal) => watch.changed(session, version, signal),
        isDecision: (key) => watch.isDecision(key),
        async areFiled(keys) {
          await worked.queue.publish([decision]);
          await turns();
          return await watch.areFiled(keys);
        },
      },
    });
    expect(await outcomes.of(decision)).toEqual({ kind: 'applied' });
  });

  test('of a number that nobody reached is waited for until the signal is aborted', async () => {
    await using worked = new WorkedQueue();
    const signal = AbortSignal.timeout(5);
    const options = { watch: worked.watch, clock: systemClock, signal };
    await expect(awaitOutcome(create(1), options)).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(awaitOutcome(create(1), options)).rejects.toMatchObject({ code: 'ABORTED' });
    expect(worked.watch.waiters).toBe(0);
  });

  test('is learned with one watch of the session, however many wait', async () => {
    await using worked = new WorkedQueue();
    const waits = Array.from({ length: 50 }, (_, index) => worked.outcomes.of(append(index + 1, `${index}`)));
    await turns();
    expect(worked.watch.waiters).toBe(1);
    await worked.queue.publish(Array.from({ length: 50 }, (_, index) => append(index + 1, `${index}`)));
    worked.work();
    expect(new Set((await Promise.all(waits)).map(({ kind }) => kind))).toEqual(new Set(['applied']));
    expect(worked.watch.waiters).toBe(0);
  });
});

function hasReigned({ epoch, writer }: ClaimCommand, cursor: Cursor): boolean {
  return [...cursor.earlier, cursor].some((reign) => reign.epoch === epoch && reign.writer === writer);
}

function textOf(command: Command): string {
  return command.kind === 'numbered' ? Buffer.from(command.data).toString() : '';
}
