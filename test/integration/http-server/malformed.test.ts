import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HttpServer } from '../../../src/http-server/server.ts';
import { serverTimeouts } from '../../../src/http-server/timeouts.ts';
import { keptLog } from './log-lines.ts';
import { openServer } from './open-server.ts';
import { rawConnection, sendRaw } from './raw.ts';
import { stubService } from './stub-service.ts';

const log = keptLog();
let server: HttpServer;

beforeAll(async () => {
  const timeouts = { ...serverTimeouts, headers: 300, request: 400, checkInterval: 50 };
  server = await openServer({ timeouts, logger: log.logger, service: stubService({ publish: async () => [] }) });
});

afterAll(() => server.close());

/** Takes an answer apart and checks that it is a whole problem. */
function problem(answer: string): { readonly status: number; readonly headers: string; readonly code: unknown } {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  const headers = head.toLowerCase();
  expect(headers).toContain('content-type: application/problem+json');
  expect(headers).toContain(`content-length: ${Buffer.byteLength(body, 'latin1')}`);
  expect(headers).toContain('x-content-type-options: nosniff');
  expect(headers).toContain('cache-control: no-store');
  const document: { readonly status: number; readonly code: unknown } = JSON.parse(body);
  expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${document.status} [A-Z]`));
  return { status: document.status, headers, code: document.code };
}

const ending = 'Host: localhost\r\nConnection: close\r\n\r\n';

describe('what is no request that can be answered', () => {
  const body = 'Content-Type: application/cloudevents+json\r\n';
  test.each([
    ['text', 'hello\r\n\r\n', 400],
    ['a TLS greeting', '\u0016\u0003\u0001\u0002\u0000\u0001', 400],
    ['another protocol', `GET / SMTP/1.0\r\n${ending}`, 400],
    ['an old version', `GET / HTTP/4.0\r\n${ending}`, 400],
    ['an unknown method', `BREW /healthz HTTP/1.1\r\n${ending}`, 400],
    ['no host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['a header without a name', `GET /healthz HTTP/1.1\r\n: x\r\n${ending}`, 400],
    ['a header with a NUL', `GET /healthz HTTP/1.1\r\nA: \u0000\r\n${ending}`, 400],
    ['two lengths', `POST /v1/commands HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n${ending}xx`, 400],
    ['a length that is none', `POST /v1/commands HTTP/1.1\r\nContent-Length: -1\r\n${ending}`, 400],
    [
      'length and chunks',
      `POST /v1/commands HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n${ending}`,
      400,
    ],
    ['a chunk that is none', `POST /v1/commands HTTP/1.1\r\n${body}Transfer-Encoding: chunked\r\n${ending}zz\r\n`, 400],
    ['an expectation', `GET /healthz HTTP/1.1\r\nExpect: a-miracle\r\n${ending}`, 417],
    ['a path that is not UTF-8', `GET /v1/sessions/%ff HTTP/1.1\r\n${ending}`, 400],
    ['half an escape', `GET /v1/sessions/%2 HTTP/1.1\r\n${ending}`, 400],
    ['a path that is none', `GET nowhere HTTP/1.1\r\n${ending}`, 400],
    ['no path that exists', `GET /v2 HTTP/1.1\r\n${ending}`, 404],
    ['a slash too many', `GET /v1/sessions/ HTTP/1.1\r\n${ending}`, 400],
    ['a body where there is nothing', `POST /v2 HTTP/1.1\r\n${body}Content-Length: 9\r\n${ending}{"a":"a"}`, 404],
    ['another method', `PUT /v1/commands HTTP/1.1\r\n${body}Content-Length: 2\r\n${ending}{}`, 405],
    ['a method that is rare', `PROPFIND /v1/sessions HTTP/1.1\r\n${ending}`, 405],
    ['headers without an end', `GET /healthz HTTP/1.1\r\nA: ${'x'.repeat(17_000)}\r\n${ending}`, 431],
    ['a path without an end', `GET /v1/sessions/${'x'.repeat(17_000)} HTTP/1.1\r\n${ending}`, 431],
    ['headers that come too slowly', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n', 408],
    ['nothing at all', '', 408],
    ['a body that comes too slowly', `POST /v1/commands HTTP/1.1\r\n${body}Content-Length: 9\r\n${ending}{"a"`, 408],
  ])('%s is a problem, told as one', async (_, text, status) => {
    const { code, headers, ...answer } = problem(await sendRaw(server, Buffer.from(text, 'latin1')));
    expect(answer.status).toBe(status);
    expect(code).toMatch(/^(?:INVALID_REQUEST|INVALID_SESSION_ID|NO_SUCH_RESOURCE|REQUEST_TOO_LARGE)$/);
    if (status === 405) expect(headers).toMatch(/\r\nallow: (?:post|get, head)\r\n/);
  });

  test('answers tell nothing of the program that gives them', async () => {
    for (const text of [`GET /healthz HTTP/1.1\r\n${ending}`, 'hello\r\n\r\n', `GET /v2 HTTP/1.1\r\n${ending}`]) {
      expect(await sendRaw(server, text)).not.toMatch(/fastify|node|server:|x-powered-by|access-control/i);
    }
  });

  const good = 'GET /v1/sessions/a HTTP/1.1\r\nHost: localhost\r\n\r\n';

  test('what comes behind an answered request is refused', async () => {
    const connection = await rawConnection(server);
    connection.socket.write(good);
    await connection.until('"code":"NOT_SUPPORTED","retryable":false}');
    const first = connection.received().length;
    connection.socket.write('nonsense\r\n\r\n');
    expect(problem((await connection.closed()).slice(first))).toMatchObject({ status: 400 });
  });

  test('what comes behind a request that is not answered yet is not taken for its answer', async () => {
    expect(await sendRaw(server, `${good}nonsense\r\n\r\n`)).toBe('');
  });

  test('the service goes on, and its log tells nothing that was sent', async () => {
    const secrets = `/v1/sessions/canary?canary=1 HTTP/1.1\r\nAuthorization: Bearer canary\r\n${ending}`;
    await sendRaw(server, `GET ${secrets}`);
    await sendRaw(server, `canary /canary HTTP/1.1\r\n${ending}`);
    await sendRaw(server, `GET /v1/sessions/canary/log HTTP/1.1\r\n${ending}`);
    await sendRaw(server, `GET /canary HTTP/1.1\r\n${ending}`);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    const requests = log.lines.filter(({ msg }) => msg === 'request');
    expect(requests).toContainEqual(
      expect.objectContaining({ level: 20, method: 'GET', route: '/v1/sessions/:id/log', status: 422 }),
    );
    expect(requests).toContainEqual(expect.objectContaining({ method: 'GET', route: 'none', status: 404 }));
    expect(JSON.stringify(log.lines)).not.toContain('canary');
  });
});
