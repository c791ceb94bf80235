import type { Cursor } from '../domain/cursor.ts';
import type { SessionId } from '../domain/identifiers.ts';
import {
  type DeadLetterReason,
  deadLetterReasons,
  type FiledRecord,
  type ParkedCommand,
  type ParkedHeader,
  type StoredPosition,
} from '../domain/plan.ts';
import type { StoreTotals } from '../domain/totals.ts';
import type { FiledKey, SessionView, Store } from '../ports/store.ts';

/** What a store holds of an existing session, bytes as base64 so that they compare by value. */
export interface SessionContents {
  readonly snapshot: string | undefined;
  readonly receipt: string | undefined;
  readonly anchor: string | undefined;
  readonly log: readonly string[];
}

/** Everything that a store holds, as plain values that `assert.deepEqual` compares. */
export interface StoreContents {
  readonly sessions: readonly SessionId[];
  readonly cursors: readonly (readonly [SessionId, Cursor])[];
  readonly views: Readonly<Record<string, SessionContents>>;
  readonly parkedHeaders: Readonly<Record<string, readonly ParkedHeader[]>>;
  readonly parked: Readonly<Record<string, readonly (Omit<ParkedCommand, 'message'> & { readonly message: string })[]>>;
  readonly filed: readonly object[];
  readonly positions: Readonly<Record<string, readonly (readonly [number, StoredPosition])[]>>;
  readonly totals: StoreTotals;
}

/** Reads the whole store through its port, in pages of `limit`. */
export async function readContents(store: Store, limit = 100): Promise<StoreContents> {
  const cursors = await allPages<SessionId, readonly [SessionId, Cursor]>(
    limit,
    (page) => store.listCursors(page),
    ([session]) => session,
  );
  const contents = {
    sessions: await allPages<SessionId, SessionId>(
      limit,
      (page) => store.listSessions(page),
      (session) => session,
    ),
    cursors,
    views: {} as Record<string, SessionContents>,
    parkedHeaders: {} as Record<string, readonly ParkedHeader[]>,
    parked: {} as Record<string, StoreContents['parked'][string]>,
    filed: (await readAllFiled(store, limit)).map(readableFiled),
    positions: {} as Record<string, (readonly [number, StoredPosition])[]>,
    totals: await store.readTotals(),
  };
  for (const [session] of cursors) {
    const headers = await store.readParkedHeaders(session);
    const parked = await store.readParked(
      session,
      headers.map(({ sequence }) => sequence),
    );
    contents.parkedHeaders[session] = headers;
    contents.parked[session] = parked.map((command) => ({ ...command, message: base64(command.message) }));
    await using view = await store.openSession(session);
    if (view !== undefined) contents.views[session] = await readView(view);
  }
  for (const source of await store.readSources()) {
    contents.positions[source] = [...(await store.readPositions(source))].sort(([one], [other]) => one - other);
  }
  return contents;
}

/** The totals that `contents` should have, counted one by one. */
export function countedTotals({ cursors, filed }: StoreContents): StoreTotals {
  const all = cursors.map(([, cursor]) => cursor);
  const records = filed as readonly FiledRecord[];
  const count = (is: (cursor: Cursor) => boolean): number => all.filter(is).length;
  const sum = (of: (cursor: Cursor) => number): number => all.reduce((total, cursor) => total + of(cursor), 0);
  const letters = (reason: DeadLetterReason): number =>
    records.filter((record) => record.kind === 'dead letter' && record.reason === reason).length;
  return {
    sessions: count(({ presence }) => presence === 'known'),
    halted: count(({ halted }) => halted),
    refused: count(({ refused }) => refused),
    waiting: count(({ parkedCommands }) => parkedCommands > 0),
    parkedCommands: sum(({ parkedCommands }) => parkedCommands),
    parkedBytes: sum(({ parkedBytes }) => parkedBytes),
    deadLetters: Object.fromEntries(deadLetterReasons.map((reason) => [reason, letters(reason)])) as Record<
      DeadLetterReason,
      number
    >,
    decisions: records.filter(({ kind }) => kind === 'decision').length,
  };
}

/** All that a view shows but its cursor. */
export async function readView(view: SessionView): Promise<SessionContents> {
  return {
    snapshot: optionalBase64(await view.snapshot()),
    receipt: optionalBase64(await view.receipt()),
    anchor: optionalBase64(await view.anchor()),
    log: (await readLog(view)).map(base64),
  };
}

/** The entries of a log, or of a part of it. */
export async function readLog(view: SessionView, range?: Parameters<SessionView['log']>[0]): Promise<Uint8Array[]> {
  const entries: Uint8Array[] = [];
  for await (const page of view.log(range)) entries.push(...page);
  return entries;
}

async function readAllFiled(store: Store, limit: number): Promise<readonly FiledRecord[]> {
  const keyOf = ({ session, id }: FiledRecord): FiledKey => ({ session, id });
  return allPages(limit, (page) => store.readFiled(undefined, page), keyOf);
}

async function allPages<Key, Item>(
  limit: number,
  read: (page: { after: Key | undefined; limit: number }) => Promise<readonly Item[]>,
  keyOf: (item: Item) => Key,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  for (let after: Key | undefined; ; ) {
    const page = await read({ after, limit });
    items.push(...page);
    const last = page.at(-1);
    if (last === undefined) return items;
    after = keyOf(last);
  }
}

/** A dead letter or decision, its message as base64. */
export function readableFiled(record: FiledRecord): object {
  return 'message' in record ? { ...record, message: base64(record.message) } : record;
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function optionalBase64(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : base64(bytes);
}
