import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isPersistenceError, PersistenceError } from '../../src/domain/errors.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import type { SourceId } from '../../src/domain/plan.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { PublishResult } from '../../src/ports/service.ts';
import { createMemoryQueue } from '../../src/queues/memory/memory-queue.ts';
import { append, claim, entryText } from '../support/commands.ts';
import { turns } from '../support/turns.ts';
import { WorkingSystem } from '../support/working-system.ts';

const sessions = ['one', 'two', 'three'] as const;
const session = fc.constantFrom(...sessions);
const troubles = ['down', 'down, and written', 'failed', 'failed, and written', 'full', 'full', 'slow'] as const;
type Trouble = (typeof troubles)[number];

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('send'),
      to: fc.array(session, { minLength: 1, maxLength: 5 }),
      isGivenUp: fc.boolean(),
      until: fc.constantFrom('durable', 'applied'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('rival claim'), session }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('conflict'), session }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('turns'), count: fc.nat(40) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('trouble'), trouble: fc.constantFrom(...troubles) }) },
);

/** A service whose queue is in trouble as told, and everything that was sent through it. */
class Sending extends WorkingSystem {
  /** Marks by session, in the order in which they were sent. */
  readonly sent = new Map<string, string[]>(sessions.map((each) => [each, []]));
  readonly answered: { readonly mark: string; readonly result: PublishResult }[] = [];
  /** Of requests that found the queue full. */
  readonly refused: string[] = [];
  readonly troubles: Trouble[] = [];
  readonly #publish = this.queue.publish.bind(this.queue);
  readonly #requests: Promise<void>[] = [];
  #marks = 0;

  constructor() {
    super({ queue: createMemoryQueue({ source: 'memory:test' as SourceId, clock: systemClock }) });
    this.queue.publish = async (commands, signal) => {
      const trouble = this.troubles.shift();
      if (trouble === 'slow') await turns(8);
      if (trouble === 'full') throw new PersistenceError('QUEUE_FULL', trouble);
      const positions = trouble === 'down' || trouble === 'failed' ? [] : await this.#publish(commands, signal);
      if (trouble?.startsWith('down')) throw new PersistenceError('QUEUE_UNAVAILABLE', trouble);
      if (trouble?.startsWith('failed')) throw new PersistenceError('QUEUE_IO_FAILED', trouble);
      return positions;
    };
  }

  send(to: readonly string[], until: 'durable' | 'applied', isGivenUp: boolean): void {
    const marks = to.map((each) => {
      this.#marks += 1;
      const mark = `mark-${this.#marks}.`;
      this.sent.get(each)?.push(mark);
      return mark;
    });
    const giving = new AbortController();
    const events = to.map((each, index) => eventOf(each, marks[index] ?? ''));
    const request = this.publishing.publish({ events, until, timeout: 200, signal: giving.signal });
    const answers = request.then(
      (results) => {
        this.answered.push(...results.map((result, index) => ({ mark: marks[index] ?? '', result })));
      },
      // Nothing was promised, but that nothing is there where the queue was full: all of it may be sent again.
      (error: unknown) => {
        if (isPersistenceError(error, 'QUEUE_FULL')) this.refused.push(...marks);
      },
    );
    this.#requests.push(answers);
    if (isGivenUp) void turns(3).then(() => giving.abort());
  }

  async disturb(kind: 'rival claim' | 'conflict', where: string): Promise<void> {
    const [cursor] = await this.watch.cursors([where as SessionId]);
    const { writer, epoch = 0, last = 0 } = cursor ?? {};
    if (kind === 'rival claim') await this.#publish([claim(epoch + 1, '//test/rival', where)]);
    else if (writer !== undefined && last > 0) {
      await this.#publish([append(last, 'a conflict', { session: where, writer, epoch })]);
    }
  }

  async settled(): Promise<void> {
    await Promise.all(this.#requests);
    await this.caughtUp();
  }
}

function eventOf(subject: string, mark: string): Buffer {
  const event = { specversion: '1.0', id: mark, source: '//test/any', type: 'macp.log.append.v1', subject };
  return Buffer.from(`${JSON.stringify(event).slice(0, -1)},"data":${entryText(mark)}}`);
}

test('whatever happens to queue, writer and requests: answers are true, and nothing is doubled or reordered', async () => {
  let applied = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps) => {
      await using sending = new Sending();
      sending.work();
      for (const each of steps) {
        if (each.kind === 'send') sending.send(each.to, each.until as 'durable' | 'applied', each.isGivenUp);
        else if (each.kind === 'turns') await turns(each.count);
        else if (each.kind === 'trouble') sending.troubles.push(each.trouble);
        else await sending.disturb(each.kind as 'rival claim' | 'conflict', each.session);
      }
      await sending.settled();
      const deadLetters = (await sending.filed())
        .filter((record) => record.kind === 'dead letter')
        .map(({ message }) => Buffer.from(message).toString('latin1'));
      expect(sending.refused.filter((mark) => deadLetters.some((text) => text.includes(mark)))).toEqual([]);
      const numbers = new Set<string>();
      for (const each of sessions) {
        const log = (await sending.marks(each)).filter((mark) => mark.startsWith('mark-'));
        expect(log.filter((mark) => sending.refused.includes(mark))).toEqual([]);
        expect(log).toEqual(sending.sent.get(each)?.filter((mark) => log.includes(mark)));
        const [cursor] = await sending.watch.cursors([each as SessionId]);
        for (const { mark, result } of sending.answered.filter(({ result: { session_id } }) => session_id === each)) {
          const isLost = deadLetters.some((text) => text.includes(mark));
          if (result.outcome === 'applied') {
            applied += 1;
            expect(log).toContain(mark);
          }
          if (result.outcome === 'dead letter') expect([isLost, log.includes(mark)]).toEqual([true, false]);
          // What waits behind a conflict is neither yet.
          if (cursor?.halted !== true) expect(log.includes(mark)).toBe(!isLost);
          numbers.add(`${each} ${result.epoch} ${result.sequence}`);
        }
      }
      expect(numbers.size).toBe(sending.answered.length);
    }),
    { numRuns: 200 },
  );
  expect(applied).toBeGreaterThan(0);
});
