import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Command } from '../../../src/domain/command.ts';
import { initialCursor } from '../../../src/domain/cursor.ts';
import { PersistenceError } from '../../../src/domain/errors.ts';
import type { SessionId, Writer } from '../../../src/domain/identifiers.ts';
import { Publisher } from '../../../src/publisher/publisher.ts';
import type { SessionWriter } from '../../../src/publisher/session-writer.ts';
import type { Sink } from '../../../src/publisher/sink.ts';
import { append, claim, create, entryText } from '../../support/commands.ts';
import { codeOf, hasty, publisherOf } from '../../support/publishers.ts';
import { UnsteadySink } from '../../support/unsteady-sink.ts';
import { WorkedQueue } from '../../support/worked-queue.ts';

const session = 'session-a' as SessionId;

/** `queue`, but before a claim is published, a rival's of the same epoch is, so many times. */
function outrun(queue: Sink, times: number): Sink {
  let left = times;
  return {
    whenWritable: (signal) => queue.whenWritable(signal),
    publish: async (commands: readonly Command[]) => {
      for (const command of commands) {
        if (command.kind !== 'claim' || left === 0) continue;
        left -= 1;
        await queue.publish([claim(command.epoch, `//rival/${left}`, session)]);
      }
      return queue.publish(commands);
    },
  };
}

describe('opening a session', () => {
  test('is refused without a way to learn where it stands, and nothing is sent', async () => {
    await using worked = new WorkedQueue();
    const sink = new UnsteadySink(worked.queue);
    await using publisher = publisherOf(worked, { sink, watch: undefined });
    expect(await codeOf(publisher.open(session))).toBe('STANDING_UNKNOWN');
    expect(sink.groups).toEqual([]);
  });

  test.each([
    ['a/b', '//test/fresh', 'INVALID_SESSION_ID'],
    ['session-a', 'not a uri', 'INVALID_WRITER'],
  ])('%j as %j is refused, and nothing is sent', async (id, writer, code) => {
    await using worked = new WorkedQueue();
    const sink = new UnsteadySink(worked.queue);
    await using publisher = publisherOf(worked, { sink });
    expect(await codeOf(publisher.open(id as SessionId, { writer: writer as Writer }))).toBe(code);
    expect(sink.groups).toEqual([]);
  });

  test('goes on from where the session stands', async () => {
    await using worked = new WorkedQueue();
    worked.work();
    const before = { session, writer: '//old', epoch: 7 };
    await worked.queue.publish([claim(7, '//old', session), create(1, before), append(2, 'old', before)]);
    await using publisher = publisherOf(worked);
    const writer = await publisher.open(session, { writer: '//new' as Writer });
    expect([writer.session, writer.writer, writer.epoch, writer.last]).toEqual([session, '//new', 8, 2]);
    await (await writer.append(entryText('new'))).applied();
    expect(await worked.log(session)).toEqual(['old', 'new'].map(entryText));
  });

  test('ends a halt', async () => {
    await using worked = new WorkedQueue();
    worked.work();
    const old = { session, writer: '//old' };
    await worked.queue.publish([append(1, 'one', old), append(1, 'another', old), append(2, 'two', old)]);
    await using publisher = publisherOf(worked);
    const writer = await publisher.open(session);
    await (await writer.append(entryText('mended'))).applied();
    const [cursor] = await worked.watch.cursors([session]);
    expect(cursor).toMatchObject({ epoch: 2, last: 2, halted: false, parkedCommands: 0 });
  });

  test('uses a fresh name each time, and refuses one that has reigned there', async () => {
    await using worked = new WorkedQueue();
    worked.work();
    const sink = new UnsteadySink(worked.queue);
    await using publisher = publisherOf(worked, { sink });
    const first = await publisher.open(session);
    const second = await publisher.open(session);
    expect(second.writer).not.toBe(first.writer);
    for (const writer of [first.writer, second.writer]) {
      expect(await codeOf(publisher.open(session, { writer }))).toBe('INVALID_WRITER');
    }
    expect(sink.groups.flat().length).toBe(2);
  });

  test('goes above claims that came first, 7 times, and gives up after 8', async () => {
    for (const [times, ending] of [
      [7, undefined],
      [8, 'WRITER_FENCED'],
    ] as const) {
      await using worked = new WorkedQueue();
      worked.work();
      await using publisher = publisherOf(worked, { sink: outrun(worked.queue, times) });
      expect(await codeOf(publisher.open(session))).toBe(ending);
    }
  });

  test('waits for a queue and a watch that do not answer at present', async () => {
    await using worked = new WorkedQueue();
    worked.work();
    let refusals = 0;
    const sometimes = async <Result>(call: () => Promise<Result>): Promise<Result> => {
      refusals += 1;
      if (refusals % 2 === 1) throw new PersistenceError('SERVICE_UNAVAILABLE', 'not now');
      return await call();
    };
    const watch = {
      cursors: (sessions: readonly SessionId[]) => sometimes(() => worked.watch.cursors(sessions)),
      changed: (id: SessionId, version: number, signal?: AbortSignal) =>
        sometimes(() => worked.watch.changed(id, version, signal)),
      areFiled: worked.watch.areFiled.bind(worked.watch),
      isDecision: worked.watch.isDecision.bind(worked.watch),
    };
    const sink = new UnsteadySink(worked.queue, ['down', 'full', 'answer lost']);
    await using publisher = publisherOf(worked, { sink, watch });
    await (await (await publisher.open(session)).create()).applied();
    expect(refusals).toBeGreaterThan(3);
  });

  test('is given up when its signal is aborted, and leaves no wait behind', async () => {
    await using worked = new WorkedQueue();
    await using publisher = publisherOf(worked);
    expect(await codeOf(publisher.open(session, { signal: AbortSignal.abort() }))).toBe('ABORTED');
    expect(await codeOf(publisher.open(session, { signal: AbortSignal.timeout(5) }))).toBe('ABORTED');
    expect(worked.watch.waiters).toBe(0);
  });

  test('fails with what the watch or the queue fails with', async () => {
    await using worked = new WorkedQueue();
    worked.work();
    const sink = new UnsteadySink(worked.queue);
    sink.failure = new PersistenceError('QUEUE_IO_FAILED', 'nobody knows');
    await using publisher = publisherOf(worked, { sink });
    expect(await codeOf(publisher.open(session))).toBe('QUEUE_IO_FAILED');
    const gone = async (): Promise<never> => {
      throw new PersistenceError('STORE_CLOSED', 'gone');
    };
    await using other = publisherOf(worked, {
      watch: { cursors: gone, changed: gone, areFiled: gone, isDecision: gone },
    });
    expect(await codeOf(other.open(session))).toBe('STORE_CLOSED');
  });

  test('needs room for at least one command', async () => {
    await using worked = new WorkedQueue();
    expect(() => publisherOf(worked, { limits: { commands: 0, bytes: 1 } })).toThrow(TypeError);
  });
});

describe('publishers that open one session at the same time', () => {
  test('reign one after the other, and leave it in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(fc.nat(4)), { minLength: 2, maxLength: 5 }), async (delays) => {
        await using worked = new WorkedQueue();
        worked.work();
        const publishers = delays.map(
          (mishaps, index) =>
            new Publisher({
              sink: new UnsteadySink(worked.queue, mishaps),
              watch: worked.watch,
              clock: hasty,
              newWriter: () => `//test/${index}` as Writer,
            }),
        );
        const writers = await Promise.all(publishers.map((publisher) => publisher.open(session)));
        const endings = await Promise.all(writers.map(writeTwice));
        const [cursor = initialCursor] = await worked.watch.cursors([session]);
        const last = writers.find(({ epoch }) => epoch === Math.max(...writers.map((each) => each.epoch)));
        expect(new Set(writers.map(({ epoch }) => epoch)).size).toBe(writers.length);
        expect(cursor).toMatchObject({ epoch: last?.epoch, writer: last?.writer, halted: false, parkedCommands: 0 });
        const log = await worked.log(session);
        for (const [index, writer] of writers.entries()) {
          const ending = endings[index];
          if (writer === last) expect(ending).toEqual([undefined, undefined]);
          for (const each of ending ?? []) expect([undefined, 'DEAD_LETTERED', 'WRITER_FENCED']).toContain(each);
          const written = log.filter((text) => text.includes(`"${writer.writer} `)).length;
          expect(written).toBe(ending?.filter((each) => each === undefined).length);
        }
        await Promise.all(publishers.map((publisher) => publisher.close()));
      }),
      { numRuns: 60 },
    );
  });
});

/** Appends two entries, one after the other is applied; the codes of what came of them. */
async function writeTwice(writer: SessionWriter): Promise<readonly (string | undefined)[]> {
  const codes: (string | undefined)[] = [];
  for (const mark of [1, 2]) {
    const applied = async (): Promise<void> => {
      await (await writer.append(entryText(`${writer.writer} ${mark}`))).applied();
    };
    codes.push(await codeOf(applied()));
  }
  return codes;
}
