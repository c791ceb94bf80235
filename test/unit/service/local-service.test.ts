import { describe, expect, test } from 'vitest';
import type { Sequence, SessionId } from '../../../src/domain/identifiers.ts';
import type { FiledId } from '../../../src/domain/plan.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import type { Service } from '../../../src/ports/service.ts';
import type { Store } from '../../../src/ports/store.ts';
import { LocalService, type LocalServiceOptions } from '../../../src/service/local-service.ts';
import { createMemoryStore } from '../../../src/stores/memory/memory-store.ts';
import { append, create, entryText, numbered, save, skip, snapshotText } from '../../support/commands.ts';
import { startPersisting } from '../../support/persisting.ts';

const session = 'a-session-of-the-tests-1' as SessionId;
const unknown = 'unknown' as SessionId;

function never(): never {
  throw new TypeError('not called by this test');
}

const noParts = {
  publishing: undefined,
  operators: { listDeadLetters: never, showDeadLetter: never, skip: never, repair: never },
  status: never,
  backupDirectory: '/backups',
  cachedLogBytes: 1024 * 1024,
  release: () => Promise.resolve(),
};

/** A service over `store` while a pipeline persists into it. */
function serviceOver(store: Store, parts: Partial<LocalServiceOptions> = {}) {
  const persisting = startPersisting(store);
  const service = new LocalService({ ...noParts, store, watch: persisting.watch, clock: systemClock, ...parts });
  return { persisting, service };
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

async function all<Part>(parts: AsyncIterable<Part>): Promise<Part[]> {
  const found: Part[] = [];
  for await (const part of parts) found.push(part);
  return found;
}

describe('a service over an open store', () => {
  test('tells what does not exist from what a session does not have', async () => {
    await using store = createMemoryStore();
    const { persisting, service } = serviceOver(store);
    await using _ = persisting;
    persisting.add(create(1));
    await persisting.persisted();
    const readings: ((id: SessionId) => Promise<unknown>)[] = [
      (id) => service.snapshot(id),
      (id) => service.receipt(id),
      (id) => service.anchor(id),
    ];
    for (const read of readings) {
      await expect(read(session)).rejects.toMatchObject({ code: 'NOT_STORED' });
      await expect(read(unknown)).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
    }
    readings.push(
      (id) => service.cursor(id),
      (id) => service.showSession(id),
      (id) => all(service.log(id, {})),
      (id) => all(service.incoming(id, 0)),
    );
    for (const read of readings.slice(3)) {
      await expect(read(session)).resolves.toBeDefined();
      await expect(read(unknown)).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
    }
    persisting.add(numbered('macp.session.delete.v1', 2, ''));
    await persisting.persisted();
    expect(await service.cursor(session)).toMatchObject({ presence: 'deleted', last: 2 });
    expect(await service.showSession(session)).toMatchObject({ presence: 'deleted', snapshot: null });
    await expect(service.snapshot(session)).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
  });

  test('reads what a command wrote once it is applied', async () => {
    await using store = createMemoryStore();
    const { persisting, service } = serviceOver(store);
    await using _ = persisting;
    const waiting = (sequence: number) => ({ sequence: sequence as Sequence, timeout: 60_000 });
    const snapshot = service.snapshot(session, waiting(1));
    const receipt = service.receipt(session, waiting(2));
    const anchor = service.anchor(session, waiting(3));
    const log = all(service.log(session, { from: 1, limit: 1 }, waiting(5)));
    const incoming = all(service.incoming(session, 1, waiting(5)));
    const cursor = service.cursor(session, waiting(5));
    persisting.add(
      save(1, 'm'),
      numbered('macp.receipt.store.v1', 2, 'receipt'),
      numbered('macp.anchor.store.v1', 3, 'anchor'),
      append(4, 'm4'),
      append(5, 'm5'),
    );
    expect(text(await snapshot)).toBe(snapshotText('m', session));
    expect([await receipt, await anchor].map(text)).toEqual(['receipt', 'anchor']);
    expect((await log).flat().map(text)).toEqual([entryText('m5')]);
    expect((await incoming).flat().map(({ ordinal, entry }) => [ordinal, text(entry)])).toEqual([[2, entryText('m5')]]);
    expect(await cursor).toMatchObject({ last: 5 });
  });

  test('shows what was refused, who decided, and what it takes to free the session', async () => {
    await using store = createMemoryStore();
    const { persisting, service } = serviceOver(store);
    await using _ = persisting;
    persisting.add(save(1, 'm'), numbered('macp.log.append.v1', 2, '{}'), append(4, 'early'));
    await persisting.persisted();
    expect(await service.showSession(session)).toMatchObject({
      last_sequence: 1,
      refused_sequence: 2,
      parked: { commands: 1 },
      dead_letters: { refused: 1 },
      decisions: 0,
      snapshot: { state: 'Open', mode: 'ext.multi_round.v1', bytes: snapshotText('m', session).length },
      blocked: { kind: 'refused', sequence: 2, parked_commands: 1 },
      remedies: [expect.any(String), expect.any(String), expect.any(String)],
    });
    persisting.add(skip(2, 1, '0f8f3c1e-6f0e-4c7e-9d5e-2f5a5c0f8b11'), append(3, 'm3'));
    await persisting.persisted();
    expect(await service.showSession(session)).toMatchObject({
      last_sequence: 4,
      decisions: 1,
      skipped: [{ sequence: 2, epoch: 1, by: expect.any(String), reason: expect.any(String) }],
      blocked: null,
      remedies: [],
    });
  });

  test('reads on no further once it is given up', async () => {
    await using store = createMemoryStore();
    const { persisting, service } = serviceOver(store);
    await using _ = persisting;
    persisting.add(create(1), append(2, 'm2'));
    await persisting.persisted();
    const gone = AbortSignal.abort();
    for (const parts of [
      service.log(session, {}, undefined, gone),
      service.incoming(session, 0, undefined, gone),
      service.dump(gone),
    ]) {
      await expect(all<unknown>(parts)).rejects.toMatchObject({ code: 'ABORTED' });
    }
  });

  test('copies the store under a name that cannot lead anywhere else', async () => {
    const directories: string[] = [];
    await using memory = createMemoryStore();
    const store = new Proxy(memory, {
      get(target, property) {
        const backup = async (directory: string) => {
          directories.push(directory);
          return { records: 3, bytes: 70 };
        };
        return property === 'backup' ? backup : Reflect.get(target, property, target);
      },
    });
    const { persisting, service } = serviceOver(memory, { store });
    await using _ = persisting;
    for (const name of ['', '.', '..', '.hidden', 'a/b', '..\\a', 'é', 'a'.repeat(101), 'a\n']) {
      await expect(service.backup(name)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    }
    expect(await service.backup('2026-07.night_1')).toEqual({
      directory: '/backups/2026-07.night_1',
      store: { kind: 'memory', id: memory.identity.id, layout_version: memory.identity.layoutVersion },
      records: 3,
      bytes: 70,
    });
    expect(directories).toEqual(['/backups/2026-07.night_1']);
  });

  test('hands on what its other parts do, and releases what it was given once', async () => {
    await using store = createMemoryStore();
    const part = (name: string) => (async (...given: unknown[]) => [name, ...given]) as never;
    let released = 0;
    const { persisting, service } = serviceOver(store, {
      publishing: { publish: part('publish') },
      operators: {
        listDeadLetters: part('list'),
        showDeadLetter: part('show'),
        skip: part('skip'),
        repair: part('repair'),
      },
      status: part('status'),
      release: async () => {
        released += 1;
      },
    });
    await using _ = persisting;
    const request = { request: 1 } as never;
    expect(await service.publish(request)).toEqual(['publish', request]);
    expect(await service.listDeadLetters(request)).toEqual(['list', request]);
    expect(await service.showDeadLetter('id' as FiledId, session)).toEqual(['show', 'id', session]);
    expect(await service.skip(request)).toEqual(['skip', request]);
    expect(await service.repair(request)).toEqual(['repair', request]);
    expect(await service.status()).toEqual(['status']);
    const closings: Service[] = [service, service];
    await Promise.all(closings.map((each) => each.close()));
    expect(released).toBe(1);
  });

  test('without a queue says so to whoever publishes', async () => {
    await using store = createMemoryStore();
    const { persisting, service } = serviceOver(store);
    await using _ = persisting;
    const request = { events: [], until: 'durable', timeout: 0 } as const;
    await expect(service.publish(request)).rejects.toMatchObject({ code: 'NOT_SUPPORTED' });
  });
});
