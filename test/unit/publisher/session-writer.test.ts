import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NumberedCommand } from '../../../src/domain/command.ts';
import { initialCursor } from '../../../src/domain/cursor.ts';
import { PersistenceError } from '../../../src/domain/errors.ts';
import type { SessionId } from '../../../src/domain/identifiers.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import { DeadLettered } from '../../../src/publisher/acknowledgement.ts';
import type { SessionWriter } from '../../../src/publisher/session-writer.ts';
import { append, claim, entryText, snapshotText } from '../../support/commands.ts';
import { codeOf, hasty, publisherOf } from '../../support/publishers.ts';
import { turns } from '../../support/turns.ts';
import { type Mishap, UnsteadySink } from '../../support/unsteady-sink.ts';
import { WorkedQueue } from '../../support/worked-queue.ts';

const sessionA = 'session-a' as SessionId;
const sessionB = 'session-b' as SessionId;

/** Numbers that were handed over for one session, each once, as they came. */
function numbersIn(sink: UnsteadySink, session: SessionId): readonly number[] {
  const commands = sink.groups.flat().filter((each): each is NumberedCommand => each.kind === 'numbered');
  return [...new Set(commands.filter((each) => each.session === session).map(({ sequence }) => sequence))];
}

describe('the commands of a session', () => {
  const mishap = fc.oneof(fc.nat(3), fc.constantFrom<Mishap>('full', 'down', 'answer lost'));
  const sending = fc.record({
    session: fc.constantFrom(sessionA, sessionB),
    /** Turns after which it is given up; 0: never. */
    aborted: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat(6)),
    /** Turns until the next one is sent. */
    pause: fc.nat(2),
  });

  test('take numbers without a hole and effect in order, whatever is given up and whatever fails', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(sending, { maxLength: 40 }), fc.array(mishap), async (sendings, mishaps) => {
        await using worked = new WorkedQueue();
        worked.work();
        const sink = new UnsteadySink(worked.queue, mishaps);
        await using publisher = publisherOf(worked, { sink, limits: { commands: 5, bytes: 1 << 20 } });
        const writers = new Map<SessionId, SessionWriter>();
        for (const session of [sessionA, sessionB]) writers.set(session, await publisher.open(session));
        const sent: Promise<readonly [SessionId, string, string | undefined]>[] = [];
        for (const [index, { session, aborted, pause }] of sendings.entries()) {
          const giving = new AbortController();
          const options = aborted === 0 ? {} : { signal: giving.signal };
          const code = codeOf(writers.get(session)?.append(entryText(`m${index}`), options) ?? Promise.reject());
          if (aborted > 0) void turns(aborted).then(() => giving.abort());
          sent.push(code.then((known) => [session, entryText(`m${index}`), known]));
          await turns(pause);
        }
        const results = await Promise.all(sent);
        expect(results.filter(([, , code]) => code !== undefined && code !== 'ABORTED')).toEqual([]);
        for (const session of [sessionA, sessionB]) {
          const durable = results.filter(([of, , code]) => of === session && code === undefined);
          const numbers = numbersIn(sink, session);
          expect(numbers).toEqual(numbers.map((_, index) => index + 1));
          expect(numbers.length).toBe(durable.length);
          await reached(worked, session, durable.length);
          expect(await worked.log(session)).toEqual(durable.map(([, text]) => text));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('are acknowledged with their number, and applied when that is said', async () => {
    await using worked = new WorkedQueue();
    worked.work();
    await using publisher = publisherOf(worked);
    const writer = await publisher.open(sessionA);
    const sent = await Promise.all([writer.create(), writer.append(entryText('one'))]);
    expect(sent.map(({ epoch, sequence }) => [epoch, sequence])).toEqual([
      [1, 1],
      [1, 2],
    ]);
    await Promise.all(sent.map((acknowledgement) => acknowledgement.applied()));
    const [cursor] = await worked.watch.cursors([sessionA]);
    expect(cursor).toMatchObject({ epoch: 1, last: 2, writer: writer.writer });
  });

  test('carry documents as objects, text or bytes, and store them all', async () => {
    await using worked = new WorkedQueue();
    worked.work();
    await using publisher = publisherOf(worked);
    const writer = await publisher.open(sessionA);
    await writer.append(entryText('replaced'));
    await writer.replaceLog([JSON.parse(entryText('one')), entryText('two'), Buffer.from(entryText('three'))]);
    await writer.append(entryText('four').replaceAll(',', ' ,\n'));
    await writer.save(snapshotText('aim', sessionA));
    await writer.storeAnchor(Buffer.from('an anchor'));
    const stored = await writer.storeReceipt(Buffer.from('a receipt'));
    await stored.applied();
    expect(await worked.log(sessionA)).toEqual(['one', 'two', 'three', 'four'].map(entryText));
    await using view = await worked.store.openSession(sessionA);
    expect(Buffer.from((await view?.snapshot()) ?? []).toString()).toBe(snapshotText('aim', sessionA));
    expect(Buffer.from((await view?.anchor()) ?? []).toString()).toBe('an anchor');
    expect(Buffer.from((await view?.receipt()) ?? []).toString()).toBe('a receipt');
    await (await writer.replaceLog([])).applied();
    expect(await worked.log(sessionA)).toEqual([]);
    await (await writer.delete()).applied();
    expect(await worked.store.openSession(sessionA)).toBeUndefined();
  });

  test.each([
    ['macp.log.append.v1', '{}', 'INVALID_DATA'],
    ['macp.session.create.v1', 'something', 'INVALID_DATA'],
    ['macp.session.save.v1', snapshotText('aim', 'another'), 'INVALID_DATA'],
  ] as const)('that a worker would refuse (%s %s) take no number and disturb nothing', async (type, data, code) => {
    await using worked = new WorkedQueue();
    worked.work();
    await using publisher = publisherOf(worked);
    const writer = await publisher.open(sessionA);
    const [, refused, after] = await Promise.all([
      writer.create(),
      codeOf(writer.send(type, Buffer.from(data))),
      writer.append(entryText('after')),
    ]);
    expect(refused).toBe(code);
    expect(after.sequence).toBe(2);
    await after.applied();
  });

  test.each([
    [{ time: 'yesterday' }, 'INVALID_ATTRIBUTE'],
    [{ traceparent: '' }, 'INVALID_ATTRIBUTE'],
  ])('with the attributes %j are refused as well', async (options, code) => {
    await using worked = new WorkedQueue();
    worked.work();
    await using publisher = publisherOf(worked);
    const writer = await publisher.open(sessionA);
    expect(await codeOf(writer.create(options))).toBe(code);
    expect(writer.failure).toBeUndefined();
  });
});

describe('back-pressure', () => {
  test('lets no more be unacknowledged than the limits, and tells when there is room', async () => {
    await using worked = new WorkedQueue();
    worked.work();
    const sink = new UnsteadySink(worked.queue);
    const data = entryText('x'.repeat(100));
    const limits = { commands: 8, bytes: data.length * 5 };
    await using publisher = publisherOf(worked, { sink, limits });
    const writer = await publisher.open(sessionA);
    const other = await publisher.open(sessionB);
    await publisher.whenWritable();
    sink.hold();
    const sent = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? writer : other).append(data));
    let writable = false;
    const waiting = publisher.whenWritable().then(() => {
      writable = true;
    });
    await turns();
    expect(writable).toBe(false);
    expect(await codeOf(publisher.whenWritable(AbortSignal.timeout(1)))).toBe('ABORTED');
    sink.release();
    await Promise.all([...sent, waiting]);
    expect(sink.most).toEqual({ commands: 5, bytes: limits.bytes });
  });

  test('lets a single command pass that is larger than the limits', async () => {
    await using worked = new WorkedQueue();
    worked.work();
    await using publisher = publisherOf(worked, { limits: { commands: 1, bytes: 1 } });
    const writer = await publisher.open(sessionA);
    await Promise.all([writer.append(entryText('one')), writer.append(entryText('two'))]);
    expect(writer.last).toBe(2);
  });

  test('shares publishes among sessions, within the size of a group', async () => {
    await using worked = new WorkedQueue();
    worked.work();
    const sink = new UnsteadySink(worked.queue);
    await using publisher = publisherOf(worked, { sink });
    const writers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => publisher.open(`session-${index}` as SessionId)),
    );
    expect(sink.groups.length).toBe(1);
    await Promise.all(writers.flatMap((writer) => Array.from({ length: 8 }, () => writer.create())));
    expect(sink.groups.map(({ length }) => length)).toEqual([100, 512, 288]);
  });
});

describe('a writer that cannot go on', () => {
  test('says why of every later send when nobody knows whether a publish arrived, until it is opened anew', async () => {
    await using worked = new WorkedQueue();
    worked.work();
    const sink = new UnsteadySink(worked.queue);
    await using publisher = publisherOf(worked, { sink });
    const writer = await publisher.open(sessionA);
    const other = await publisher.open(sessionB);
    await writer.create();
    sink.failure = new PersistenceError('QUEUE_IO_FAILED', 'nobody knows');
    const waiting = [writer.append(entryText('one')), writer.append(entryText('two'))];
    expect(await Promise.all(waiting.map(codeOf))).toEqual(['QUEUE_IO_FAILED', 'QUEUE_IO_FAILED']);
    expect(await codeOf(writer.create())).toBe('QUEUE_IO_FAILED');
    expect(writer.failure?.code).toBe('QUEUE_IO_FAILED');
    await (await other.create()).applied();
    const anew = await publisher.open(sessionA);
    expect([anew.epoch, anew.last]).toEqual([2, 3]);
    await (await anew.append(entryText('three'))).applied();
    expect(await worked.log(sessionA)).toEqual(['one', 'two', 'three'].map(entryText));
  });

  test('learns from a dead letter that it was fenced', async () => {
    await using worked = new WorkedQueue();
    worked.work();
    await using publisher = publisherOf(worked, { clock: { ...hasty, sleep: systemClock.sleep } });
    const writer = await publisher.open(sessionA);
    await worked.queue.publish([claim(2, '//rival', sessionA)]);
    const late = await writer.append(entryText('late'));
    const failure = await late.applied().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DeadLettered);
    const [letter] = await worked.store.readFiled(sessionA, { limit: 10 });
    expect(failure).toMatchObject({ code: 'DEAD_LETTERED', deadLetter: letter?.id });
    expect(await codeOf(writer.append(entryText('later')))).toBe('WRITER_FENCED');
  });

  test('learns that it was fenced, or that its session is halted, by going on', async () => {
    await using worked = new WorkedQueue();
    worked.work();
    await using publisher = publisherOf(worked);
    const fenced = await publisher.open(sessionA);
    const halted = await publisher.open(sessionB);
    await halted.create();
    const conflict = append(1, 'other data', { session: sessionB, epoch: 1, writer: halted.writer });
    await worked.queue.publish([claim(2, '//rival', sessionA), conflict]);
    for (const writer of [fenced, halted]) {
      expect(await codeOf(goOn(writer))).toBe('WRITER_FENCED');
    }
  });

  test('does not go on when it cannot learn whether it still reigns', async () => {
    await using worked = new WorkedQueue();
    worked.work();
    let isForbidden = false;
    const watch = {
      cursors: async (sessions: readonly SessionId[]) => {
        if (isForbidden) throw new PersistenceError('FORBIDDEN', 'no more');
        return worked.watch.cursors(sessions);
      },
      changed: worked.watch.changed.bind(worked.watch),
      areFiled: worked.watch.areFiled.bind(worked.watch),
      isDecision: worked.watch.isDecision.bind(worked.watch),
    };
    await using publisher = publisherOf(worked, { watch });
    const writer = await publisher.open(sessionA);
    isForbidden = true;
    expect(await codeOf(goOn(writer))).toBe('FORBIDDEN');
  });
});

describe('closing', () => {
  test.each(['the writer', 'the publisher'])(
    '%s takes back what waits, and settles what is under way',
    async (which) => {
      await using worked = new WorkedQueue();
      worked.work();
      const sink = new UnsteadySink(worked.queue);
      const publisher = publisherOf(worked, { sink });
      const writer = await publisher.open(sessionA);
      sink.hold();
      const underWay = codeOf(writer.create());
      await turns(1);
      const waiting = codeOf(writer.append(entryText('waits')));
      const closing = which === 'the writer' ? writer.close() : publisher.close();
      expect(await waiting).toBe('ABORTED');
      sink.release();
      await closing;
      expect(await underWay).toBe(undefined);
      expect(await codeOf(writer.create())).toBe('ABORTED');
      await writer.close();
      await publisher.close();
      await publisher.close();
      await reached(worked, sessionA, 1);
    },
  );

  test('ends waits for what was applied, for room, and for a queue that is full', async () => {
    await using worked = new WorkedQueue();
    worked.work();
    const sink = new UnsteadySink(worked.queue);
    const publisher = publisherOf(worked, { sink, limits: { commands: 1, bytes: 1000 } });
    const writer = await publisher.open(sessionA);
    await worked[Symbol.asyncDispose]();
    const applied = codeOf((await writer.create()).applied());
    const full = new UnsteadySink(
      worked.queue,
      Array.from({ length: 1000 }, () => 'full' as const),
    );
    sink.publish = full.publish.bind(full);
    const waits = [
      applied,
      codeOf(writer.create()),
      codeOf(publisher.whenWritable()),
      codeOf(publisher.open(sessionB)),
    ];
    await turns(2);
    await publisher.close();
    expect(await Promise.all(waits)).toEqual(['ABORTED', 'ABORTED', 'ABORTED', 'ABORTED']);
  });
});

/** Sends until that fails. */
async function goOn(writer: SessionWriter): Promise<never> {
  for (;;) {
    await writer.append(entryText('on and on'));
    await turns(1);
  }
}

/** Resolves once the session's last number is `last`. */
async function reached(worked: WorkedQueue, session: SessionId, last: number): Promise<void> {
  let cursor = initialCursor;
  while (cursor.last < last) {
    const [now = initialCursor] = await worked.watch.cursors([session]);
    cursor = now.last < last ? await worked.watch.changed(session, now.version) : now;
  }
  expect(cursor.last).toBe(last);
}
