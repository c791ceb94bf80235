import { expect } from 'vitest';
import { readContents } from '../../src/conformance/store-contents.ts';
import { PlanBuilder, someDeadLetter, someParked } from '../../src/conformance/store-plan-builder.ts';
import { ada, bob, bytes } from '../../src/conformance/store-samples.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import type { Store } from '../../src/ports/store.ts';

/** A store that something else writes to while nobody of us has it open. */
export interface ChangedStore {
  open(options?: { readonly adoptChanges: boolean }): Promise<Store>;
  /** All that lies there. */
  dump(): Promise<unknown>;
  change(): Promise<unknown>;
}

/** A log entry as macp-runtime writes it. */
export function runtimeEntry(kind = 'Incoming', more: object = {}): Buffer {
  const required = { message_id: 'm', received_at_ms: 1, sender: 's', message_type: 'T', raw_payload: [] };
  return Buffer.from(JSON.stringify({ ...required, entry_kind: kind, ...more }));
}

/** Two sessions as this project leaves them: `ada` with a log, a snapshot and something parked, `bob` with a log. */
export async function leaveSessions(open: ChangedStore['open']): Promise<void> {
  await using store = await open();
  const builder = new PlanBuilder();
  const log = [runtimeEntry(), runtimeEntry(), runtimeEntry()];
  builder.create(ada).append(ada, ...log);
  await store.commit(builder.save(ada, bytes('{"a":1}')).build());
  builder.append(bob, runtimeEntry()).park(ada, someParked(9));
  await store.commit(builder.file(ada, someDeadLetter('one', ada)).build());
}

/** Opening it names the session, offers to adopt it, and changes nothing. */
export async function checkRefused({ open, dump, change }: ChangedStore, session: SessionId): Promise<void> {
  await leaveSessions(open);
  await change();
  const before = await dump();
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const opening = open();
    await expect(opening).rejects.toMatchObject({ code: 'STORE_CHANGED_ELSEWHERE' });
    await expect(opening).rejects.toThrow(`session "${session}" `);
    await expect(opening).rejects.toThrow('--adopt-changes');
  }
  expect(await dump()).toEqual(before);
}

/** Adopting it gives the session a cursor that has `expected` and keeps its numbers, and changes no other session. */
export async function checkAdopted(
  { open, change }: ChangedStore,
  session: SessionId,
  expected: object,
): Promise<void> {
  await leaveSessions(open);
  const first = await open();
  const before = await readContents(first);
  await first.close();
  await change();
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await using store = await open({ adoptChanges: true });
    expect(store.identity).toEqual(first.identity);
    const [cursor] = await store.readCursors([session]);
    expect(cursor).toMatchObject(expected);
    const earlier = before.cursors.find(([id]) => id === session)?.[1];
    if (earlier !== undefined) {
      const { version, last, recent } = earlier;
      expect(cursor).toMatchObject({ version: version + 1, last, recent });
    }
    const after = await readContents(store);
    expect(after.filed).toEqual(before.filed);
    const others = (contents: typeof before) => contents.cursors.filter(([id]) => id !== session);
    expect(others(after)).toEqual(others(before));
    const known = after.cursors.filter(([, { presence }]) => presence === 'known').length;
    expect(after.totals).toEqual({ ...before.totals, sessions: known });
  }
  // From now on the store is as we left it.
  await using again = await open();
  expect((await again.readCursors([session]))[0]).toMatchObject(expected);
}
