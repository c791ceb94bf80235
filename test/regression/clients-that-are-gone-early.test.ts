import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { HttpServer } from '../../src/http-server/server.ts';
import type { TokenSource } from '../../src/http-server/tokens.ts';
import { openServer } from '../integration/http-server/open-server.ts';
import { rawConnection } from '../integration/http-server/raw.ts';
import { stubService } from '../integration/http-server/stub-service.ts';

let opening: Promise<HttpServer>;
afterEach(async () => await (await opening).close());

/** Something that is waited for until it is opened, and tells that somebody waits. */
function gate() {
  let open = (): void => undefined;
  let come = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const waitedFor = new Promise<void>((resolve) => {
    come = resolve;
  });
  const pass = (): Promise<void> => {
    come();
    return opened;
  };
  return { open, pass, waitedFor };
}

/** Tokens that are found only once the gate is open, as those of a file are while it is looked at. */
function slowTokens({ pass }: Pick<ReturnType<typeof gate>, 'pass'>): TokenSource {
  return {
    find: async () => {
      await pass();
      return { name: 'all', digest: new Uint8Array(32), scopes: ['admin'] };
    },
  };
}

/** Sends `text`, and goes away as soon as it is being worked on; resolves once the server has seen that. */
async function goAwayFrom(opened: HttpServer, text: string, waitedFor: Promise<void>): Promise<void> {
  const { socket } = await rawConnection(opened);
  socket.write(text);
  await waitedFor;
  socket.resetAndDestroy();
  await once(socket, 'close');
  // A connection that came later is answered: what came before it was seen.
  await fetch(`${opened.url}/healthz`);
  for (let turns = 0; turns < 3; turns += 1) await turn();
}

describe('a client that is gone before its request is under way leaves nothing behind', () => {
  // The stream was thrown away unread, and a generator that never began does not run what would close it.
  test('the log that was opened for it is closed', async () => {
    const { open, pass, waitedFor } = gate();
    const closed = new Promise<void>((resolve) => {
      const log = async function* () {
        try {
          yield [Buffer.from('{"page":1}')];
          await pass();
          yield [Buffer.from('{"page":2}')];
          yield [Buffer.from('{"page":3}')];
        } finally {
          resolve();
        }
      };
      opening = openServer({ service: stubService({ log }) });
    });
    const server = await opening;
    await goAwayFrom(server, 'GET /v1/sessions/a/log HTTP/1.1\r\nHost: localhost\r\n\r\n', waitedFor);
    open();
    await closed;
  });

  test('its body takes no room', async () => {
    const { open, pass, waitedFor } = gate();
    const bodyBytes = 1024;
    const limits = { requestsPerSecond: 0, connections: 100, bodyBytes, bufferedBytes: bodyBytes };
    opening = openServer({ tokens: slowTokens({ pass }), limits });
    const server = await opening;
    const head = 'POST /v1/commands HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer a\r\n';
    await goAwayFrom(server, `${head}Content-Length: ${bodyBytes}\r\n\r\n`, waitedFor);
    open();
    await turn();
    const answer = await fetch(`${server.url}/v1/commands`, {
      method: 'POST',
      headers: { authorization: 'Bearer a', 'content-type': 'application/cloudevents+json' },
      body: 'x'.repeat(bodyBytes),
    });
    expect(await answer.json()).toMatchObject({ code: 'NOT_SUPPORTED' });
  });

  test('nobody waits in its place', async () => {
    const { open, pass, waitedFor } = gate();
    const signal = new Promise<AbortSignal | undefined>((resolve) => {
      const service = stubService({
        snapshot: async (_session, _waiting, given) => {
          resolve(given);
          return Buffer.from('{}');
        },
      });
      opening = openServer({ tokens: slowTokens({ pass }), service });
    });
    const server = await opening;
    const head = 'GET /v1/sessions/a?min_sequence=9 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer a\r\n\r\n';
    await goAwayFrom(server, head, waitedFor);
    open();
    expect((await signal)?.aborted).toBe(true);
  });
});
