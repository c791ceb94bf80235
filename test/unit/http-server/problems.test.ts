import { STATUS_CODES } from 'node:http';
import { describe, expect, test } from 'vitest';
import { type ErrorCode, errorDefinitions, PersistenceError } from '../../../src/domain/errors.ts';
import { ProblemError, problemOf, toRequestError } from '../../../src/http-server/problem.ts';
import { statusOf } from '../../../src/http-server/status.ts';

const codes = Object.keys(errorDefinitions) as ErrorCode[];

function documentOf(error: PersistenceError): Record<string, unknown> {
  return JSON.parse(problemOf(error).body.toString('utf8'));
}

describe('problems', () => {
  test('every code of an error has a status of HTTP, and no other code has one', () => {
    expect(Object.keys(statusOf).sort()).toEqual([...codes].sort());
    for (const code of codes) expect(STATUS_CODES[statusOf[code]], code).toBeDefined();
  });

  test('what can succeed later is never told to be wrong by its status', () => {
    const later = new Set([409, 429, 503, 507]);
    for (const code of codes) if (errorDefinitions[code].retryable) expect(later, code).toContain(statusOf[code]);
  });

  test.each(codes)('%s is told with its code, meaning and status', (code) => {
    const { status, headers } = problemOf(new PersistenceError(code, 'this time'));
    expect(status).toBe(statusOf[code]);
    expect(documentOf(new PersistenceError(code, 'this time'))).toEqual({
      type: `urn:macp-persist:error:${code}`,
      title: errorDefinitions[code].meaning,
      status,
      detail: code === 'UNEXPECTED' ? expect.not.stringContaining('this time') : 'this time',
      code,
      retryable: errorDefinitions[code].retryable,
    });
    expect(headers).toEqual(
      status === 503 || status === 429
        ? { 'retry-after': '1' }
        : status === 401
          ? { 'www-authenticate': 'Bearer realm="macp-persist"' }
          : {},
    );
  });

  test('an error that concerns several events says so of each', () => {
    const errors = [{ index: 1, code: 'INVALID_DATA', detail: 'no' }];
    const error = Object.assign(new PersistenceError('INVALID_INPUT', 'one event cannot be sent'), { errors });
    expect(documentOf(error)).toMatchObject({ code: 'INVALID_INPUT', errors });
  });

  test('an answer may have another status, more headers and more members than its code says', () => {
    const error = new ProblemError('NO_SUCH_RESOURCE', 'no', {
      status: 405,
      headers: { allow: 'GET' },
      members: { a: 1 },
    });
    expect(problemOf(error)).toMatchObject({ status: 405, headers: { allow: 'GET' } });
    expect(documentOf(error)).toMatchObject({ status: 405, a: 1 });
  });

  test('what a library threw is quoted nowhere', () => {
    for (const statusCode of [undefined, 400, 415, 500]) {
      const thrown = Object.assign(new SyntaxError('Unexpected token in "a-secret"'), { statusCode });
      const problem = problemOf(toRequestError(thrown));
      expect(problem.status).toBe(statusCode === 400 || statusCode === 415 ? 400 : 500);
      expect(problem.body.toString()).not.toContain('a-secret');
    }
    expect(toRequestError('a-secret')).toMatchObject({ code: 'UNEXPECTED' });
  });
});
