import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { SessionId } from '../../../src/domain/identifiers.ts';
import { connectService, type RemoteService } from '../../../src/http-client/remote-service.ts';

const session = 'a-session' as SessionId;
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A server that answers as told, at its address. */
async function stub(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function connected(listener: RequestListener): Promise<RemoteService> {
  const service = connectService({ url: await stub(listener) });
  closers.push(() => service.close());
  return service;
}

const answering =
  (status: number, body: string, headers: Record<string, string> = {}): RequestListener =>
  (_, response) =>
    response.writeHead(status, headers).end(body);

const problem = (code: string, more: object = {}): string =>
  JSON.stringify({ code, detail: 'told', status: 1, ...more });

/** Something to wait for until it is told to have happened. */
function happening(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => expect.fail('a promise runs its executor at once');
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('what a service answers instead', () => {
  test.each([
    [404, 'SESSION_NOT_FOUND', false],
    [503, 'QUEUE_FULL', true],
    [409, 'NOT_YET_APPLIED', true],
    [507, 'DISK_FULL', true],
  ])('%i with the code %s is that error', async (status, code, retryable) => {
    const service = await connected(answering(status, problem(code)));
    await expect(service.snapshot(session)).rejects.toMatchObject({ code, retryable, message: 'told' });
  });

  test.each([
    [401, 'UNAUTHENTICATED'],
    [403, 'FORBIDDEN'],
    [413, 'REQUEST_TOO_LARGE'],
    [429, 'TOO_MANY_REQUESTS'],
    [502, 'SERVICE_UNAVAILABLE'],
    [503, 'SERVICE_UNAVAILABLE'],
    [504, 'SERVICE_UNAVAILABLE'],
    [500, 'UNEXPECTED'],
    [418, 'UNEXPECTED'],
  ])('%i without a code of ours is %s, with what was answered', async (status, code) => {
    for (const body of ['<html>proxy</html>', problem('NEWER_CODE'), problem('toString'), '']) {
      const service = await connected(answering(status, body));
      const error = await service.snapshot(session).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code, status });
      expect((error as Error).message).toContain(JSON.stringify(body).slice(1, -1));
    }
  });

  test('a redirection is not followed', async () => {
    const service = await connected((request, response) => {
      expect(request.url).toContain('/v1/');
      response.writeHead(301, { location: 'http://127.0.0.1:1/elsewhere' }).end();
    });
    await expect(service.backup('x')).rejects.toThrow('points to http://127.0.0.1:1/elsewhere');
  });

  test.each(['', '<html>', '{"sessions":['])('a success that is not JSON is UNEXPECTED: %j', async (body) => {
    const service = await connected(answering(200, body));
    await expect(service.listSessions({ limit: 1 })).rejects.toMatchObject({ code: 'UNEXPECTED' });
  });

  test('a dead letter is one of the outcomes', async () => {
    const results = [{ outcome: 'dead letter' }];
    const service = await connected(answering(409, problem('DEAD_LETTERED', { results })));
    const request = { events: [Buffer.from('{}')], until: 'applied', timeout: 1 } as const;
    expect(await service.publish(request)).toEqual(results);
  });
});

describe('a service that cannot be reached or breaks off', () => {
  test('nobody there: SERVICE_UNAVAILABLE, which may be tried again', async () => {
    const url = await stub(answering(200, ''));
    for (const close of closers.splice(0)) await close();
    const error = { code: 'SERVICE_UNAVAILABLE', retryable: true };
    await expect(connectService({ url }).status()).rejects.toMatchObject(error);
    await expect(connectService({ url: url.replace('127.0.0.1', 'localhost') }).status()).rejects.toMatchObject(error);
  });

  test('reset before an answer: SERVICE_UNAVAILABLE', async () => {
    const service = await connected((request) => request.socket.resetAndDestroy());
    const request = { events: [Buffer.from('{}')], until: 'durable', timeout: 0 } as const;
    await expect(service.publish(request)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  });

  const cuts: Readonly<Record<string, (response: ServerResponse) => void>> = {
    'the connection is destroyed between two lines': (response) => {
      response.write('{"ordinal":1,"entry":{}}\n', () => response.destroy());
    },
    'the connection is destroyed within a line': (response) => {
      response.write('{"ordinal":1,"entry":{}}\n{"ordi', () => response.destroy());
    },
    'less comes than was announced': (response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"ordinal":1,"entry":{}}\n', () => response.destroy());
    },
    'the stream ends in order within a line': (response) => {
      response.end('{"ordinal":1,"entry":{}}\n{"ordi');
    },
  };

  test.each(Object.keys(cuts))('is never taken for a shorter answer: %s', async (name) => {
    const service = await connected((_, response) => cuts[name]?.(response));
    const error = { code: 'SERVICE_UNAVAILABLE' };
    await expect(collect(service.log(session, {}))).rejects.toMatchObject(error);
    await expect(collect(service.incoming(session, 0))).rejects.toMatchObject(error);
  });

  test('a dump, a document or a followed log that is cut is an error too', async () => {
    const service = await connected((_, response) => response.write('{}\n\n', () => response.destroy()));
    const error = { code: 'SERVICE_UNAVAILABLE' };
    await expect(collect(service.dump())).rejects.toMatchObject(error);
    await expect(service.receipt(session)).rejects.toMatchObject(error);
    await expect(collect(service.follow(session, { ordinal: 0 }, new AbortController().signal))).rejects.toMatchObject(
      error,
    );
  });

  test('a followed log that ends in order is an error too: it has no end', async () => {
    const service = await connected(answering(200, ':\n\n'));
    const following = collect(service.follow(session, { ordinal: 0 }, new AbortController().signal));
    await expect(following).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  });
});

describe('giving up', () => {
  test('an aborted signal, before or during the wait, is ABORTED, and the service sees the client go', async () => {
    const gone = happening();
    const arrived = happening();
    const service = await connected((_, response) => {
      response.on('close', () => gone.resolve());
      arrived.resolve();
    });
    const giving = new AbortController();
    const waiting = service.cursor(session, { version: 1, timeout: 1_000_000 }, giving.signal);
    await arrived.promise;
    giving.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
    await gone.promise;
    await expect(service.cursor(session, undefined, giving.signal)).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('close ends what is under way and refuses what comes later; twice does no harm', async () => {
    const arrived = happening();
    const service = await connected(() => arrived.resolve());
    const waiting = service.status();
    await arrived.promise;
    await service.close();
    await service.close();
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(service.status()).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('who stops reading a stream ends its connection', async () => {
    const gone = happening();
    const service = await connected((_, response) => {
      response.on('close', () => gone.resolve());
      response.write('{}\n');
    });
    for await (const page of service.log(session, {})) {
      expect(page).toHaveLength(1);
      break;
    }
    await gone.promise;
  });
});

describe('requests', () => {
  const echo: RequestListener = (request, response) => response.end(JSON.stringify(seen(request)));
  const seen = ({ url, headers }: IncomingMessage) => ({ url, authorization: headers.authorization });

  test.each(['plain', 'ü ☃ 😀', '%2e%2e', '%2F', 'a?b#c', '...', ' ', '\t\n\r', 'a;b=c', '"', 'ÿ'.repeat(127)])(
    'a session id stays one segment of the path: %j',
    async (id) => {
      const service = await connected(echo);
      const { url } = JSON.parse(Buffer.from(await service.receipt(id as SessionId)).toString());
      const [, version, sessions, segment, document, ...rest] = url.split('/');
      expect([version, sessions, document, rest]).toEqual(['v1', 'sessions', 'receipt', []]);
      expect(decodeURIComponent(segment)).toBe(id);
    },
  );

  test.each(['', '.', '..', 'a/b', 'a\\b', 'a\0b', '\ud800', 'x'.repeat(256)])('%j is sent nowhere', async (id) => {
    const service = await connected(() => expect.fail('nothing may arrive'));
    await expect(service.cursor(id as SessionId)).rejects.toMatchObject({ code: 'INVALID_SESSION_ID' });
  });

  test('the token goes with every request, below whatever path the service has', async () => {
    const service = connectService({ url: `${await stub(echo)}/behind/a-proxy`, token: 'abc-123==' });
    const answer = JSON.parse(Buffer.from(await service.anchor(session)).toString());
    expect(answer).toEqual({ url: '/behind/a-proxy/v1/sessions/a-session/anchor', authorization: 'Bearer abc-123==' });
  });

  test('connections are kept and used again, after an error too', async () => {
    const sockets = new Set<unknown>();
    let requests = 0;
    const service = await connected((request, response) => {
      sockets.add(request.socket);
      requests += 1;
      response.writeHead(requests % 2 === 0 ? 404 : 200).end('{}');
    });
    while (requests < 50) await service.snapshot(session).catch(() => undefined);
    expect(sockets.size).toBeLessThan(5);
  });

  test.each([
    'http://user:canary@127.0.0.1',
    'http://127.0.0.1/?canary',
    'http://127.0.0.1/#canary',
    'ftp://canary',
    'canary',
    '',
  ])('%j is no address of a service, and the error does not repeat it', (url) => {
    expect(() => connectService({ url })).toThrow(expect.objectContaining({ code: 'INVALID_CONFIGURATION' }));
    expect(() => connectService({ url })).not.toThrow('canary');
  });

  test.each(['canary\n', 'canary canary', '', 'canäry'])(
    '%j is no token, and the error does not repeat it',
    (token) => {
      const connect = () => connectService({ url: 'http://127.0.0.1', token });
      expect(connect).toThrow(expect.objectContaining({ code: 'INVALID_CONFIGURATION' }));
      expect(connect).not.toThrow(/canary|canä/);
    },
  );

  test('a wait that is longer than one request may take is made of several', async () => {
    const waits: (string | null)[] = [];
    const service = await connected((request, response) => {
      waits.push(new URL(request.url ?? '', 'http://x').searchParams.get('timeout_ms'));
      response.writeHead(409).end(problem('NOT_YET_APPLIED'));
    });
    const waiting = { version: 1, timeout: 130_000 };
    await expect(service.cursor(session, waiting)).rejects.toMatchObject({ code: 'NOT_YET_APPLIED' });
    expect(waits).toEqual(['60000', '60000', '10000']);
  });
});
