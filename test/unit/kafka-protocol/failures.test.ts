import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { PersistenceError } from '../../../src/domain/errors.ts';
import { brokerError, kafkaFailure, protocolFailure } from '../../../src/queues/kafka/connection/failures.ts';

interface KnownError {
  readonly type: string;
  readonly code: number;
  readonly retriable: boolean;
}

const require = createRequire(import.meta.url);
const protocol: {
  readonly errorCodes: readonly KnownError[];
  createErrorFromCode(code: number): Error;
} = require('kafkajs/src/protocol/error');
const errors: Readonly<Record<string, new (...given: unknown[]) => Error>> = require('kafkajs/src/errors');

function make(name: string, ...given: unknown[]): Error {
  const Kind = errors[name];
  if (Kind === undefined) throw new Error(`kafkajs has no ${name}`);
  return new Kind(...given);
}

const doing = 'doing something';

describe('errors that brokers name', () => {
  test.each(protocol.errorCodes.map((known) => [known.type, known] as const))('%s is foreseen', (type, known) => {
    const failure = kafkaFailure(protocol.createErrorFromCode(known.code), doing);
    expect(failure.message).toContain(type);
    expect(failure.message).toContain(doing);
    expect(protocolFailure(known.code, doing)).toMatchObject({ code: failure.code });
    expect(protocolFailure(known.code, doing).message).toContain(type);
    expect(brokerError(protocol.createErrorFromCode(known.code))).toBe(type);
  });

  test('what the broker calls retriable is tried again, but for a topic that is not there', () => {
    const refused = protocol.errorCodes.filter(
      ({ code, retriable }) => retriable && !protocolFailure(code, doing).retryable,
    );
    expect(refused.map(({ type }) => type)).toEqual(['UNKNOWN_TOPIC_OR_PARTITION']);
  });

  test('only what this program must never send is unexpected', () => {
    const unexpected = protocol.errorCodes.filter(({ code }) => protocolFailure(code, doing).code === 'UNEXPECTED');
    expect(unexpected.map(({ type }) => type)).toEqual([
      'UNKNOWN',
      'INVALID_FETCH_SIZE',
      'INVALID_REQUIRED_ACKS',
      'INVALID_REQUEST',
    ]);
  });

  test.each([
    [1, 'SOURCE_LOST_HISTORY'],
    [3, 'QUEUE_UNSAFE'],
    [6, 'QUEUE_UNAVAILABLE'],
    [10, 'QUEUE_UNSAFE'],
    [25, 'QUEUE_UNAVAILABLE'],
    [29, 'INVALID_CONFIGURATION'],
    [35, 'NOT_SUPPORTED'],
    [47, 'WRITER_FENCED'],
    [58, 'INVALID_CONFIGURATION'],
    [74, 'QUEUE_UNAVAILABLE'],
    [90, 'WRITER_FENCED'],
    [100, 'QUEUE_UNSAFE'],
    [4_000, 'UNEXPECTED'],
  ])('number %d is %s', (number, code) => {
    expect(protocolFailure(number, doing).code).toBe(code);
  });

  test('an error that is newer than kafkajs is known by the number in its sentence', () => {
    expect(kafkaFailure(protocol.createErrorFromCode(90), doing).code).toBe('WRITER_FENCED');
    expect(brokerError(protocol.createErrorFromCode(90))).toBe('PRODUCER_FENCED');
  });

  test('a right that is missing names the way to give it', () => {
    expect(protocolFailure(30, doing).message).toContain('ACL');
  });
});

test('who cannot prove who he is hears what the broker says about it', () => {
  const said = { ...protocol.createErrorFromCode(58), message: 'Invalid username or password' };
  const failure = kafkaFailure(make('KafkaJSProtocolError', said), doing);
  expect(failure).toMatchObject({ code: 'INVALID_CONFIGURATION', message: /Invalid username or password/ });
});

describe('errors of kafkajs itself', () => {
  const fenced = protocol.createErrorFromCode(47);

  test.each<[string, unknown, string]>([
    ['a connection', make('KafkaJSConnectionError', 'x', { code: 'ECONNREFUSED' }), 'QUEUE_UNAVAILABLE'],
    ['a connection that timed out', make('KafkaJSConnectionError', 'Connection timeout'), 'QUEUE_UNAVAILABLE'],
    ['a connection that the broker closed', make('KafkaJSConnectionClosedError', 'x'), 'QUEUE_UNAVAILABLE'],
    ['a request that timed out', make('KafkaJSRequestTimeoutError', 'x'), 'QUEUE_UNAVAILABLE'],
    ['a broker that is not known', make('KafkaJSBrokerNotFound', 'x'), 'QUEUE_UNAVAILABLE'],
    ['no broker', make('KafkaJSNoBrokerAvailableError'), 'QUEUE_UNAVAILABLE'],
    ['a lock', make('KafkaJSLockTimeout', 'x'), 'QUEUE_UNAVAILABLE'],
    ['a group without a coordinator', make('KafkaJSGroupCoordinatorNotFound', 'x'), 'QUEUE_UNAVAILABLE'],
    ['metadata not loaded', make('KafkaJSTopicMetadataNotLoaded', 'x'), 'QUEUE_UNAVAILABLE'],
    ['a wrong password', make('KafkaJSSASLAuthenticationError', 'x'), 'INVALID_CONFIGURATION'],
    ['a broker too old', make('KafkaJSServerDoesNotSupportApiKey', 'x'), 'NOT_SUPPORTED'],
    [
      'a certificate',
      make('KafkaJSConnectionError', 'x', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
      'INVALID_CONFIGURATION',
    ],
    ['a broken invariant', make('KafkaJSInvariantViolation', 'x'), 'UNEXPECTED'],
    [
      'retries exceeded',
      make('KafkaJSNumberOfRetriesExceeded', fenced, { retryCount: 5, retryTime: 1 }),
      'WRITER_FENCED',
    ],
    [
      'a cause',
      make('KafkaJSNonRetriableError', 'x', { cause: make('KafkaJSError', 'y', { cause: fenced }) }),
      'WRITER_FENCED',
    ],
    ['several at once', make('KafkaJSAggregateError', 'x', [fenced]), 'WRITER_FENCED'],
    ['partitions', make('KafkaJSDeleteTopicRecordsError', { partitions: [{}, { error: fenced }] }), 'WRITER_FENCED'],
    ['the operating system', Object.assign(new Error('x'), { code: 'ENOTFOUND' }), 'QUEUE_UNAVAILABLE'],
    ['anything else', new Error('x'), 'UNEXPECTED'],
    ['no error at all', 'x', 'UNEXPECTED'],
    ['nothing', undefined, 'UNEXPECTED'],
  ])('%s', (_, thrown, code) => {
    const failure = kafkaFailure(thrown, doing);
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(doing);
    expect(failure.cause).toBe(thrown);
  });

  test('a failure that is classified already stays as it is, however deep it lies', () => {
    const closed = new PersistenceError('QUEUE_CLOSED', 'closed');
    expect(kafkaFailure(closed, doing)).toBe(closed);
    expect(kafkaFailure(make('KafkaJSNonRetriableError', closed, { cause: closed }), doing)).toBe(closed);
  });

  test('a ring of causes ends', () => {
    const ring: Error & { cause?: unknown } = make('KafkaJSError', 'x');
    ring.cause = ring;
    expect(kafkaFailure(ring, doing).code).toBe('QUEUE_UNAVAILABLE');
    expect(brokerError(ring)).toBeUndefined();
  });
});
