import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Command } from '../../../src/domain/command.ts';
import { PersistenceError } from '../../../src/domain/errors.ts';
import type { SessionId, Writer } from '../../../src/domain/identifiers.ts';
import type { SourceId } from '../../../src/domain/plan.ts';
import { encodeEvent } from '../../../src/domain/wire/structured.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import type { PublishRequest, PublishResult } from '../../../src/ports/service.ts';
import { createMemoryQueue } from '../../../src/queues/memory/memory-queue.ts';
import { SessionWriters } from '../../../src/service/session-writers.ts';
import { append, claim, create, entryText, skip } from '../../support/commands.ts';
import { turns } from '../../support/turns.ts';
import { WorkingSystem } from '../../support/working-system.ts';

const service = '//test/service';
const skips = ['ec4bd4a0-3b1c-4f5a-9df3-15c0a2a6b001', 'ec4bd4a0-3b1c-4f5a-9df3-15c0a2a6b002'] as const;

/** An event that carries no number. */
function unnumbered(session: string, mark: string): Buffer {
  const event = { specversion: '1.0', id: mark, source: '//test/any', type: 'macp.log.append.v1', subject: session };
  return Buffer.from(`${JSON.stringify(event).slice(0, -1)},"data":${entryText(mark)}}`);
}

function request(events: readonly Uint8Array[], rest: Partial<PublishRequest> = {}): PublishRequest {
  return { events, until: 'applied', timeout: 10_000, ...rest };
}

function numbersOf(results: readonly PublishResult[]): readonly (number | null)[] {
  return results.map(({ sequence }) => sequence);
}

async function published(system: WorkingSystem): Promise<number> {
  return [...(await system.queue.bounds()).values()].reduce((sum, { end }) => sum + end, 0);
}

describe('events with numbers', () => {
  test('are published as they are, and answered with what became of each', async () => {
    await using system = new WorkingSystem().work();
    const commands = [create(1), append(2, 'two'), append(3, 'three')];
    const results = await system.publishing.publish(request(commands.map(encodeEvent)));
    expect(results.map(({ id, outcome }) => [id, outcome])).toEqual(commands.map(({ id }) => [id, 'applied']));
    expect(await system.marks(commands[0]?.session ?? '')).toEqual(['two', 'three']);
    const again: readonly Command[] = [append(2, 'two'), append(2, 'other'), claim(1, '//test/late')];
    const [same, conflict, late] = await system.publishing.publish(request(again.map(encodeEvent)));
    expect(same).toMatchObject({ outcome: 'applied', dead_letter: null });
    const filed = await system.filed();
    expect([conflict, late].map((result) => result?.dead_letter).sort()).toEqual(filed.map(({ id }) => id).sort());
    expect([conflict?.outcome, late?.outcome]).toEqual(['dead letter', 'dead letter']);
  });

  test('that decide about one number twice are answered with the one that counted and the one that did not', async () => {
    await using system = new WorkingSystem().work();
    const commands = [create(1), append(3, 'three'), skip(2, 1, skips[0]), skip(2, 1, skips[1])];
    const results = await system.publishing.publish(request(commands.map(encodeEvent)));
    expect(results.map(({ outcome }) => outcome)).toEqual(['applied', 'applied', 'applied', 'dead letter']);
    const [late] = (await system.filed()).filter(({ kind }) => kind === 'dead letter');
    expect(late).toMatchObject({ reason: 'stale decision', id: results[3]?.dead_letter });
  });

  test('that wait for one that is missing are answered as durable when the time is up', async () => {
    await using system = new WorkingSystem().work();
    const events = [create(1), append(3, 'three')].map(encodeEvent);
    const results = await system.publishing.publish(request(events, { timeout: 30 }));
    expect(results.map(({ outcome }) => outcome)).toEqual(['applied', 'durable']);
  });

  test('are answered once durable, without a worker, where no more is asked for', async () => {
    await using system = new WorkingSystem();
    const results = await system.publishing.publish(request([encodeEvent(create(1))], { until: 'durable' }));
    expect(results).toMatchObject([{ outcome: 'durable', epoch: 1, sequence: 1, position: { offset: 0 } }]);
  });
});

describe('a request', () => {
  const broken = Buffer.from('{"specversion":"1.0"');
  const invalid = Buffer.from(`${unnumbered('s', 'x').toString().split(',"data"')[0]},"data":{}}`);
  test.each([
    ['no JSON', [encodeEvent(create(1)), broken], 'INVALID_EVENT', [[1, 'INVALID_EVENT']]],
    ['invalid data', [unnumbered('s', 'a'), invalid], 'INVALID_DATA', [[1, 'INVALID_DATA']]],
    [
      'an event without a number among numbered ones',
      [encodeEvent(create(1)), unnumbered('s', 'a')],
      'MIXED_EVENTS',
      [[1, 'MIXED_EVENTS']],
    ],
    [
      'a decision among events without a number',
      [unnumbered('s', 'a'), encodeEvent(skip(1, 1, skips[0])), broken],
      'INVALID_INPUT',
      [
        [0, 'MIXED_EVENTS'],
        [2, 'INVALID_EVENT'],
      ],
    ],
    [
      'events that are wrong in different ways',
      [broken, unnumbered('s', 'a'), invalid],
      'INVALID_INPUT',
      [
        [0, 'INVALID_EVENT'],
        [2, 'INVALID_DATA'],
      ],
    ],
  ] as const)('with %s publishes nothing, and says of each event what is wrong', async (_law, events, code, errors) => {
    await using system = new WorkingSystem().work();
    const thrown = await system.publishing.publish(request(events)).catch((error: unknown) => error);
    expect(thrown).toMatchObject({
      code,
      errors: errors.map(([index, each]) => ({ index, code: each, detail: expect.any(String) })),
    });
    expect(await published(system)).toBe(0);
  });

  test('without events is answered without results', async () => {
    await using system = new WorkingSystem();
    expect(await system.publishing.publish(request([]))).toEqual([]);
  });
});

describe('events without numbers', () => {
  test('of one session and many requests at once end in order of arrival, without holes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.constantFrom('one', 'two', 'three'), { minLength: 1, maxLength: 4 }), { maxLength: 8 }),
        async (requests) => {
          await using system = new WorkingSystem().work();
          const expected = new Map<string, string[]>();
          let count = 0;
          const all = requests.map((sessions) => {
            const events = sessions.map((session) => {
              count += 1;
              const mark = `${count}`;
              expected.set(session, [...(expected.get(session) ?? []), mark]);
              return unnumbered(session, mark);
            });
            return system.publishing.publish(request(events));
          });
          const results = (await Promise.all(all)).flat();
          for (const result of results) expect(result).toMatchObject({ writer: service, epoch: 1, outcome: 'applied' });
          for (const [session, marks] of expected) {
            expect(await system.marks(session)).toEqual(marks);
            const numbers = numbersOf(results.filter(({ session_id }) => session_id === session));
            expect(numbers).toEqual(marks.map((_, index) => index + 1));
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test('go on from where others left the session', async () => {
    await using system = new WorkingSystem().work();
    await system.queue.publish([create(1, { session: 's' }), append(2, 'before', { session: 's' })]);
    await system.caughtUp();
    const results = await system.publishing.publish(request([unnumbered('s', 'a'), unnumbered('s', 'b')]));
    expect(results).toMatchObject([
      { sequence: 3, epoch: 2 },
      { sequence: 4, epoch: 2 },
    ]);
    expect(await system.marks('s')).toEqual(['before', 'a', 'b']);
  });

  test.each([
    [
      'another writer claimed the session',
      [claim(2, '//test/other', 's'), create(2, { session: 's', epoch: 2, writer: '//test/other' })],
    ],
    ['a conflict halted the session', [append(1, 'rival', { session: 's', writer: service })]],
  ])('claim the session anew with the next request after %s', async (_law, between) => {
    await using system = new WorkingSystem().work();
    await system.publishing.publish(request([unnumbered('s', 'before')]));
    await system.queue.publish(between);
    // What was sent before the service could know is answered as what it became.
    const [unaware] = await system.publishing.publish(request([unnumbered('s', 'unaware')], { timeout: 50 }));
    await system.caughtUp();
    const [aware] = await system.publishing.publish(request([unnumbered('s', 'aware')]));
    expect(aware).toMatchObject({ outcome: 'applied', writer: service });
    const marks = await system.marks('s');
    expect(marks.filter((mark) => mark !== 'unaware')).toEqual(['before', 'aware']);
    expect(marks.includes('unaware')).toBe(unaware?.outcome === 'applied');
  });

  test('are not sent while their session cannot be claimed, and nothing of their request is', async () => {
    await using system = new WorkingSystem();
    const sending = system.publishing.publish(request([unnumbered('s', 'a'), unnumbered('t', 'b')], { timeout: 20 }));
    await expect(sending).rejects.toMatchObject({ code: 'NOT_YET_APPLIED' });
    system.work();
    await system.caughtUp();
    expect(await system.marks('s')).toEqual([]);
    const [later] = await system.publishing.publish(request([unnumbered('s', 'later')]));
    expect(later).toMatchObject({ outcome: 'applied', sequence: 1 });
  });

  test('of a request that was given up let those after it come in their turn, and no sooner', async () => {
    await using system = new WorkingSystem();
    const leaving = new AbortController();
    const send = (mark: string, signal?: AbortSignal) =>
      system.publishing.publish(request([unnumbered('s', mark)], { signal }));
    const before = send('before');
    const given = send('given up', leaving.signal);
    const next = send('next');
    const lost = expect(given).rejects.toMatchObject({ code: 'ABORTED' });
    leaving.abort();
    await lost;
    await turns();
    system.work();
    expect(await before).toMatchObject([{ outcome: 'applied', sequence: 1 }]);
    expect(await next).toMatchObject([{ outcome: 'applied', sequence: 2 }]);
    expect(await system.marks('s')).toEqual(['before', 'next']);
  });

  test('are refused at once while the queue is full, and taken again when there is room', async () => {
    const source = 'memory:test' as SourceId;
    const queue = createMemoryQueue({ source, clock: systemClock, maximumUnconsumedBytes: 300 });
    await using system = new WorkingSystem({ queue });
    const filler = append(5, 'filler');
    await queue.publish([filler, append(6, 'more')]);
    for (const mark of ['first', 'second']) {
      await expect(system.publishing.publish(request([unnumbered('t', mark)]))).rejects.toMatchObject({
        code: 'QUEUE_FULL',
      });
    }
    system.work();
    await queue.whenWritable();
    expect(await system.publishing.publish(request([unnumbered('t', 'b')]))).toMatchObject([{ outcome: 'applied' }]);
    expect(await system.marks('t')).toEqual(['b']);
  });

  test('of a claimed session are refused at once as well when the queue has become full, and lose no number', async () => {
    const source = 'memory:test' as SourceId;
    const queue = createMemoryQueue({ source, clock: systemClock, maximumUnconsumedBytes: 300 });
    await using system = new WorkingSystem({ queue }).work();
    await system.publishing.publish(request([unnumbered('s', 'before')]));
    const publish = queue.publish.bind(queue);
    queue.publish = async () => {
      throw new PersistenceError('QUEUE_FULL', 'full for now');
    };
    await expect(system.publishing.publish(request([unnumbered('s', 'refused')]))).rejects.toMatchObject({
      code: 'QUEUE_FULL',
    });
    queue.publish = publish;
    const [next] = await system.publishing.publish(request([unnumbered('s', 'next')]));
    expect(next).toMatchObject({ sequence: 2, outcome: 'applied' });
    expect(await system.marks('s')).toEqual(['before', 'next']);
  });

  test('too many for one publish are all sent once a part is: a request that is refused may be sent again', async () => {
    const source = 'memory:test' as SourceId;
    const queue = createMemoryQueue({ source, clock: systemClock, maximumUnconsumedBytes: 250_000 });
    await using system = new WorkingSystem({ queue }).work();
    const marks = Array.from({ length: 1_500 }, (_, index) => `${index}`);
    await system.publishing.publish(request(marks.map((mark) => unnumbered('s', mark))));
    expect(await system.marks('s')).toEqual(marks);
  });

  test('go on under a new claim after a publish of which nobody knows whether it arrived', async () => {
    const queue = createMemoryQueue({ source: 'memory:test' as SourceId, clock: systemClock });
    await using system = new WorkingSystem({ queue }).work();
    await system.publishing.publish(request([unnumbered('s', 'before')]));
    const publish = queue.publish.bind(queue);
    // It arrives, and the answer is lost for good.
    queue.publish = async (commands, signal) => {
      await publish(commands, signal);
      throw new PersistenceError('QUEUE_IO_FAILED', 'the answer was lost');
    };
    const lost = system.publishing.publish(request([unnumbered('s', 'lost answer')]));
    await expect(lost).rejects.toMatchObject({ code: 'QUEUE_IO_FAILED' });
    queue.publish = publish;
    const [next] = await system.publishing.publish(request([unnumbered('s', 'next')]));
    expect(next).toMatchObject({ epoch: 2, sequence: 3, outcome: 'applied' });
    expect(await system.marks('s')).toEqual(['before', 'lost answer', 'next']);
  });
});

describe('the sessions of a service', () => {
  test('are forgotten beyond a number, the longest unused first, and claimed again when they are met again', async () => {
    await using system = new WorkingSystem().work();
    const { queue: sink, watch } = system;
    const writer = '//test/small' as Writer;
    await using writers = new SessionWriters({ sink, watch, clock: systemClock, writer, mostSessions: 2 });
    const send = async (session: string, mark: string) => {
      const data = Buffer.from(entryText(mark));
      const command = { session: session as SessionId, type: 'macp.log.append.v1', data } as const;
      const [sent] = await writers.send([command], { timeout: 10_000 });
      await system.caughtUp();
      return sent?.command;
    };
    await send('one', 'a');
    await send('two', 'b');
    expect(await send('one', 'c')).toMatchObject({ epoch: 1, sequence: 2 });
    await send('three', 'd');
    expect(writers.sessions).toBe(2);
    expect(await send('one', 'e')).toMatchObject({ epoch: 1, sequence: 3 });
    expect(await send('two', 'f')).toMatchObject({ epoch: 2, sequence: 2 });
    expect(await system.marks('two')).toEqual(['b', 'f']);
  });
});
