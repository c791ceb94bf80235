import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import type { HttpServer } from '../../../src/http-server/server.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import { LocalService } from '../../../src/service/local-service.ts';
import { append, claim, create, entryText, numbered, replace, save, snapshotText } from '../../support/commands.ts';
import { levelHarness } from '../../support/level-harness.ts';
import { memoryHarness } from '../../support/memory-harness.ts';
import { type Persisting, startPersisting } from '../../support/persisting.ts';
import { openServer } from './open-server.ts';
import { rawConnection } from './raw.ts';

const session = 'a-session-of-the-tests-1';

function never(): never {
  throw new TypeError('not called by this test');
}

interface Served {
  readonly server: HttpServer;
  readonly persisting: Persisting;
}

/** Runs `work` with a server over a real service and store, into which a pipeline persists. */
async function withService(harness: typeof memoryHarness, work: (served: Served) => Promise<void>): Promise<void> {
  const fixture = await harness.create();
  try {
    await using persisting = startPersisting(fixture.store);
    const service = new LocalService({
      cachedLogBytes: 1024 * 1024,
      store: fixture.store,
      watch: persisting.watch,
      clock: systemClock,
      publishing: undefined,
      operators: { listDeadLetters: never, showDeadLetter: never, skip: never, repair: never },
      status: never,
      backupDirectory: '/backups',
      release: () => Promise.resolve(),
    });
    await using server = await openServer({ service, areFiled: (keys) => fixture.store.areFiled(keys) });
    await work({ server, persisting });
  } finally {
    await fixture.dispose();
  }
}

async function text(server: HttpServer, path: string): Promise<string> {
  return await (await fetch(server.url + path)).text();
}

describe.each([
  ['memory', memoryHarness],
  ['level', levelHarness],
])('the service over %s', (_, harness) => {
  test('answers what was persisted, as it is described', async () => {
    await withService(harness, async ({ server, persisting }) => {
      persisting.add(create(1), append(2, 'a'), append(3, 'b'), save(4, 'm'), append(6, 'early'));
      persisting.add(numbered('macp.receipt.store.v1', 5, 'receipt'));
      await persisting.persisted();
      const id = `/v1/sessions/${session}`;
      expect(await text(server, `${id}/log`)).toBe(['a', 'b', 'early'].map((mark) => `${entryText(mark)}\n`).join(''));
      expect(await text(server, `${id}/log?from=1&limit=1`)).toBe(`${entryText('b')}\n`);
      expect(await text(server, `${id}/incoming?after_sequence=2`)).toBe(
        `{"ordinal":3,"entry":${entryText('early')}}\n`,
      );
      expect(await text(server, id)).toBe(snapshotText('m', session));
      expect(await text(server, `${id}/receipt`)).toBe('receipt');
      expect((await fetch(`${server.url}${id}/anchor`)).status).toBe(404);
      expect(await text(server, '/v1/admin/dump')).toContain(session);
      expect((await fetch(`${server.url}/v1/commands`, { method: 'POST' })).status).toBe(400);
      const description = JSON.parse(await text(server, '/openapi.json'));
      const ajv = new Ajv2020({ strict: false });
      ajv.addSchema({ $id: 'openapi', ...description });
      for (const [path, name] of [
        ['/v1/sessions', 'SessionPage'],
        [`${id}/summary`, 'SessionSummary'],
        [`${id}/cursor`, 'Cursor'],
        ['/v1/sessions/unknown/log', 'Problem'],
      ]) {
        const valid = ajv.validate(
          { $ref: `openapi#/components/schemas/${name}` },
          JSON.parse(await text(server, `${path}`)),
        );
        expect(ajv.errors ?? valid).toBe(true);
      }
    });
  });

  test('a read waits for what its client wrote', async () => {
    await withService(harness, async ({ server, persisting }) => {
      const id = `${server.url}/v1/sessions/${session}`;
      const reads = [`${id}?min_sequence=2`, `${id}/log?min_sequence=2`, `${id}/cursor?after_version=0`].map((url) =>
        fetch(url),
      );
      const claimed = fetch(`${id}/cursor?claim_epoch=2&claim_writer=%2F%2Ftest%2Ftwo`);
      persisting.add(save(1, 'm'), append(2, 'a'), claim(2, '//test/two'));
      for (const read of await Promise.all([...reads, claimed])) expect(read.status).toBe(200);
      expect(await (await claimed).json()).toMatchObject({ epoch: 2, writer: '//test/two' });
      const late = await fetch(`${id}?min_sequence=3&timeout_ms=1`);
      expect([late.status, await late.json()]).toEqual([409, expect.objectContaining({ code: 'NOT_YET_APPLIED' })]);
      const fenced = await fetch(`${id}?claim_epoch=2&claim_writer=%2F%2Ftest%2Fthree`);
      expect(await fenced.json()).toMatchObject({ code: 'WRITER_FENCED', status: 409 });
    });
  });

  test('a followed log goes on where its client left it', async () => {
    await withService(harness, async ({ server, persisting }) => {
      const follow = async (lastEventId?: string) => {
        const connection = await rawConnection(server);
        const resume = lastEventId === undefined ? '' : `Last-Event-ID: ${lastEventId}\r\n`;
        connection.socket.write(
          `GET /v1/sessions/${session}/log?follow=true HTTP/1.1\r\nHost: localhost\r\n${resume}\r\n`,
        );
        return connection;
      };
      persisting.add(append(1, 'a'), append(2, 'b'));
      await persisting.persisted();
      const first = await follow();
      await first.until(`id: 0.1\nevent: entry\ndata: ${entryText('b')}\n\n`);
      expect(first.received()).toContain(`id: 0.0\nevent: entry\ndata: ${entryText('a')}\n\n`);
      first.socket.destroy();
      persisting.add(append(3, 'c'));
      const second = await follow('0.1');
      await second.until(`id: 0.2\nevent: entry\ndata: ${entryText('c')}\n\n`);
      expect(second.received()).not.toContain('id: 0.1');
      persisting.add(replace(4, ['d']));
      await second.until(`event: reset\ndata: {"generation":1}\n\n`);
      await second.until(`id: 1.0\nevent: entry\ndata: ${entryText('d')}\n\n`);
      second.socket.destroy();
    });
  });
});
