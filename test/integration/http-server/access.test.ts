import { describe, expect, test } from 'vitest';
import type { Scope } from '../../../src/http-server/known-tokens.ts';
import { findToken, scopes, tokenDigest } from '../../../src/http-server/known-tokens.ts';
import type { HttpServer } from '../../../src/http-server/server.ts';
import { openServer } from './open-server.ts';
import { sendRaw } from './raw.ts';

const tokenOf = (scope: Scope): string => `canary-token-for-${scope}`;
const known = scopes.map((scope) => ({ name: scope, digest: tokenDigest(tokenOf(scope)), scopes: [scope] }));
const tokens = { find: async (sent: string) => findToken(known, sent) };

interface Operation {
  readonly method: string;
  readonly path: string;
  /** Undefined: needs no token. */
  readonly scope: Scope | undefined;
}

/** As much of an OpenAPI document as is looked at here. */
interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { security: { bearer: Scope[] }[] }>>>>;
}

async function operationsOf(server: HttpServer): Promise<readonly Operation[]> {
  const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as Description;
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security }]) => ({
      method: method.toUpperCase(),
      path: path.replace(/\{[a-z]+\}/, 'hello'),
      scope: security[0]?.bearer[0],
    })),
  );
}

function call(server: HttpServer, { method, path }: Operation, authorization?: string): Promise<Response> {
  return fetch(server.url + path, { method, headers: authorization === undefined ? {} : { authorization } });
}

const isOpen = ({ status }: Response): boolean => status !== 401 && status !== 403;

describe('where tokens are configured', () => {
  test('every operation is open to exactly the scope that it names, and to admin', async () => {
    await using server = await openServer({ tokens });
    const operations = await operationsOf(server);
    expect(operations.length).toBeGreaterThan(20);
    for (const operation of operations) {
      for (const scope of scopes) {
        const open = operation.scope === undefined || operation.scope === scope || scope === 'admin';
        const response = await call(server, operation, `Bearer ${tokenOf(scope)}`);
        expect(isOpen(response), `${operation.method} ${operation.path} with ${scope}`).toBe(open);
        if (!open) {
          expect(response.status).toBe(403);
          expect(response.headers.get('www-authenticate')).toBe(
            `Bearer error="insufficient_scope", scope="${operation.scope}"`,
          );
          expect(await response.json()).toMatchObject({ code: 'FORBIDDEN', status: 403 });
        }
      }
    }
  });

  test('exactly these need no token: the health, the readiness, the description', async () => {
    await using server = await openServer({ tokens });
    const unguarded: string[] = [];
    for (const operation of await operationsOf(server)) {
      const response = await call(server, operation);
      if (isOpen(response)) unguarded.push(operation.path);
      else {
        expect(response.status).toBe(401);
        expect(response.headers.get('www-authenticate')).toBe('Bearer realm="macp-persist"');
        expect(await response.json()).toMatchObject({ code: 'UNAUTHENTICATED', status: 401 });
      }
      expect(isOpen(response)).toBe(operation.scope === undefined);
    }
    expect(unguarded).toEqual(['/healthz', '/readyz', '/openapi.json']);
  });

  const useless = [
    '',
    'Bearer',
    'Bearer ',
    `Basic ${tokenOf('admin')}`,
    `Bearer ${tokenOf('admin')}, Bearer ${tokenOf('admin')}`,
    `Bearer ${tokenOf('admin')} x`,
    `Bearer\t${tokenOf('admin')}`,
    tokenOf('admin'),
    `Bearer ${tokenOf('admin')}x`,
    `Bearer ${tokenOf('admin').toUpperCase()}`,
    `Bearer ${tokenOf('admin').slice(0, -1)}`,
  ];

  test('another header than a known token opens nothing and is not repeated', async () => {
    await using server = await openServer({ tokens });
    for (const authorization of useless) {
      const response = await fetch(`${server.url}/v1/admin/status`, { headers: { authorization } });
      expect(response.status, authorization).toBe(401);
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer realm="macp-persist"/);
      expect(await response.text()).not.toContain('canary');
    }
  });

  test('the scheme is written in any case', async () => {
    await using server = await openServer({ tokens });
    const response = await fetch(`${server.url}/metrics`, { headers: { authorization: `bEARER ${tokenOf('read')}` } });
    expect(response.status).toBe(200);
  });

  test('a body is not read before the token is known', async () => {
    await using server = await openServer({ tokens });
    const head = 'POST /v1/commands HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\nConnection: close\r\n\r\n';
    expect(await sendRaw(server, head)).toMatch(/^HTTP\/1\.1 401 /);
  });

  test('any host may be named', async () => {
    await using server = await openServer({ tokens });
    const answer = await sendRaw(server, 'GET /readyz HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('where no tokens are configured', () => {
  test('everything is open without one', async () => {
    await using server = await openServer();
    for (const operation of await operationsOf(server)) expect(isOpen(await call(server, operation))).toBe(true);
  });

  test('only a loopback address is listened at', async () => {
    await expect(openServer({ host: '0.0.0.0' })).rejects.toMatchObject({
      code: 'INVALID_CONFIGURATION',
      message: expect.stringContaining('http.tokens'),
    });
    await using server = await openServer({ host: 'localhost' });
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    await using wide = await openServer({ host: '0.0.0.0', tokens });
    expect(wide.url).toBe(`http://0.0.0.0:${wide.address.port}`);
    expect((await fetch(`${wide.localUrl}/healthz`)).status).toBe(200);
  });

  test('a request must be meant for this machine, against names that were made to point here', async () => {
    await using server = await openServer();
    const here = ['localhost', 'LOCALHOST:8080', '127.0.0.1', '127.8.9.10:1', '[::1]', '[::1]:8080', 'a.localhost'];
    const elsewhere = [
      'example.com',
      'localhost.example.com',
      '127.0.0.1.example.com',
      '192.168.0.1',
      '',
      'xlocalhost',
    ];
    const ask = (path: string, host: string): Promise<string> =>
      sendRaw(server, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    for (const host of here) expect(await ask('/readyz', host), host).toMatch(/^HTTP\/1\.1 200 /);
    for (const host of elsewhere) {
      for (const path of ['/v1/sessions', '/readyz', '/nowhere']) {
        expect(await ask(path, host), host).toMatch(/^HTTP\/1\.1 403 [\s\S]*"code":"FORBIDDEN"/);
      }
    }
  });
});
