import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { connectService, type RemoteService } from '../../../src/http-client/remote-service.ts';

const summary = { directory: '/b/one', store: { kind: 'level', id: 'i', layout_version: 2 }, records: 1, bytes: 2 };

/** A client of a server that answers as `listener` does. */
async function withServer(listener: RequestListener, check: (service: RemoteService) => Promise<void>): Promise<void> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const service = connectService({ url: `http://127.0.0.1:${port}`, token: 'canary-token' });
  try {
    await check(service);
  } finally {
    await service.close();
    server.closeAllConnections();
    server.close();
  }
}

test('a backup is asked for with its name and the token, and waited for however late the answer begins', async () => {
  const asked: unknown[] = [];
  const listener: RequestListener = async (request, answer) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    asked.push([request.method, request.url, request.headers.authorization, request.headers['content-type'], body]);
    setTimeout(() => answer.setHeader('content-type', 'application/json').end(JSON.stringify(summary)), 50);
  };
  await withServer(listener, async (service) => {
    expect(await service.backup('one')).toEqual(summary);
    expect(asked).toEqual([['POST', '/v1/admin/backups', 'Bearer canary-token', 'application/json', '{"name":"one"}']]);
  });
});

test('a backup that is refused tells why', async () => {
  const listener: RequestListener = (_request, answer) => {
    const problem = { code: 'NOT_SUPPORTED', detail: 'this store cannot' };
    answer.writeHead(422, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
  };
  await withServer(listener, async (service) => {
    await expect(service.backup('one')).rejects.toMatchObject({ code: 'NOT_SUPPORTED', message: 'this store cannot' });
  });
});

test('a backup whose service goes away, or never was there, says that the service is not available', async () => {
  await withServer(
    (request) => request.socket.destroy(),
    async (service) => {
      await expect(service.backup('one')).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    },
  );
  await using absent = connectService({ url: 'http://127.0.0.1:1' });
  await expect(absent.backup('one')).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
});

test('a backup that breaks off midway is no backup', async () => {
  const listener: RequestListener = (request, answer) => {
    answer.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    answer.write('{"directory":', () => request.socket.destroy());
  };
  await withServer(listener, async (service) => {
    await expect(service.backup('one')).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  });
});

test('a backup that is given up ends its request', async () => {
  let arrived: () => void = () => undefined;
  const underWay = new Promise<void>((resolve) => (arrived = resolve));
  let gone: Promise<unknown> | undefined;
  const listener: RequestListener = (request) => {
    gone = once(request.socket, 'close');
    arrived();
  };
  await withServer(listener, async (service) => {
    const backup = service.backup('one');
    const refused = expect(backup).rejects.toMatchObject({ code: 'ABORTED' });
    await underWay;
    await service.close();
    await refused;
    await gone;
  });
});
