import { expect, test } from 'vitest';
import { eventBody } from '../../../src/http-client/event-body.ts';

const bodyOf = (...events: readonly string[]) => {
  const { type, bytes } = eventBody(events.map((event) => Buffer.from(event)));
  return [type, Buffer.from(bytes).toString()];
};

test('a single event stands as it is, whatever it is', () => {
  expect(bodyOf('{"a": 0.0}')).toEqual(['application/cloudevents+json', '{"a": 0.0}']);
  expect(bodyOf(']')).toEqual(['application/cloudevents+json', ']']);
});

test('several stand in an array, byte for byte', () => {
  expect(bodyOf('{"a":0.0}', ' {"b":1e400} ')).toEqual([
    'application/cloudevents-batch+json',
    '[{"a":0.0}, {"b":1e400} ]',
  ]);
  expect(bodyOf()).toEqual(['application/cloudevents-batch+json', '[]']);
});

test.each(['', ']', '{},{}', '{', 'x', '\ufeff{}'])('a text that is no JSON value moves no other one: %j', (text) => {
  expect(bodyOf('{}', text, '[1]')).toEqual(['application/cloudevents-batch+json', '[{},null,[1]]']);
});
