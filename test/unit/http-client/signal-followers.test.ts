import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { SignalFollowers } from '../../../src/http-client/signal-followers.ts';

const controllers = (count: number) => Array.from({ length: count }, () => new AbortController());

test('whoever follows a signal is aborted with it, and nobody else', () => {
  const followers = new SignalFollowers();
  const [one, two] = controllers(2) as [AbortController, AbortController];
  const [first, second, third] = controllers(3) as [AbortController, AbortController, AbortController];
  followers.add(first, [one.signal]);
  followers.add(second, [one.signal, two.signal]);
  followers.add(third, [two.signal]);
  one.abort();
  expect([first, second, third].map(({ signal }) => signal.aborted)).toEqual([true, true, false]);
});

test('whoever follows a signal that is aborted already is aborted at once', () => {
  const followers = new SignalFollowers();
  const follower = new AbortController();
  followers.add(follower, [new AbortController().signal, AbortSignal.abort()]);
  expect(follower.signal.aborted).toBe(true);
});

test('a signal has one listener, however many follow it, and none once they are gone', () => {
  const followers = new SignalFollowers();
  const { signal } = new AbortController();
  const many = controllers(100);
  for (const follower of many) followers.add(follower, [signal]);
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  for (const follower of many) followers.remove(follower, [signal]);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  expect(many.some((follower) => follower.signal.aborted)).toBe(false);
});
