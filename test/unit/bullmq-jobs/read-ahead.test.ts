import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ReadAhead, stretchBytes } from '../../../src/queues/bullmq/read-ahead.ts';

const never = new AbortController().signal;

/** Takes a turn that lasts until it is ended. */
function turnOf(ahead: ReadAhead, signal = never) {
  let hasBegun = false;
  let end: () => void = () => undefined;
  const over = ahead.turn(signal, () => {
    hasBegun = true;
    return new Promise((resolve) => {
      end = resolve;
    });
  });
  return { over, hasBegun: () => hasBegun, end: () => end() };
}

test('one shard at a time reads a stretch, and each gets its turn', async () => {
  const ahead = new ReadAhead();
  const turns = [turnOf(ahead), turnOf(ahead), turnOf(ahead)];
  for (const [index, turn] of turns.entries()) {
    await nextTurn();
    expect(turns.map(({ hasBegun }) => hasBegun())).toEqual(turns.map((_, other) => other <= index));
    turn.end();
    await turn.over;
  }
});

test('nothing is read while a stretch is held, by a turn or without, and all go on once it is taken', async () => {
  const ahead = new ReadAhead();
  ahead.hold(stretchBytes);
  const turn = turnOf(ahead);
  let hasRoom = false;
  const room = ahead.room(never).then(() => {
    hasRoom = true;
  });
  await nextTurn();
  expect([turn.hasBegun(), hasRoom]).toEqual([false, false]);
  ahead.release(stretchBytes);
  await room;
  expect(turn.hasBegun()).toBe(true);
  turn.end();
  await turn.over;
});

test('whoever gives up waits no more and reads nothing, and a turn that fails is over', async () => {
  const ahead = new ReadAhead();
  ahead.hold(stretchBytes);
  const ended = new AbortController();
  const turn = turnOf(ahead, ended.signal);
  const room = ahead.room(ended.signal);
  ended.abort();
  await Promise.all([turn.over, room]);
  expect(turn.hasBegun()).toBe(false);
  ahead.release(stretchBytes);
  await expect(ahead.turn(never, () => Promise.reject(new Error('gone')))).rejects.toThrow('gone');
  const next = turnOf(ahead);
  expect(next.hasBegun()).toBe(true);
  next.end();
});
