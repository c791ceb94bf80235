import type { Cursor } from '../domain/cursor.ts';
import { compareText } from '../domain/documents/text-order.ts';
import { encodeFiled } from '../domain/encoding/filed.ts';
import { encodeParkedCommand } from '../domain/encoding/parked.ts';
import { decodeMessage } from '../domain/message.ts';
import type { FiledRecord, ParkedCommand } from '../domain/plan.ts';
import { filedId } from '../domain/rule/filed-id.ts';
import { decodeBinary } from '../domain/wire/binary.ts';
import type { SourceSession } from '../ports/copy-source.ts';
import { compareLogs } from './compare-logs.ts';
import { isDamage } from './damage.ts';
import { type Difference, onlyIn, onlySide } from './difference.ts';
import { pairUp } from './pair-up.ts';
import { sameDocument } from './same-document.ts';
import type { Scope } from './scope.ts';

/** Named of one session at most: a log that is another one altogether is not told entry by entry. */
export const mostNamed = 20;

type SessionDifference = Omit<Difference, 'session'>;

/** In what two stores differ about a session, told as of one moment of each. Throws `VIEW_EXPIRED`. */
export async function compareSessions(
  first: SourceSession,
  second: SourceSession,
  scope: Scope,
): Promise<readonly Difference[]> {
  const found: Difference[] = [];
  for await (const difference of differences(first, second, scope)) {
    found.push({ session: first.session, ...difference });
    if (found.length < mostNamed) continue;
    const detail = `more may differ: the first ${mostNamed} differences are named`;
    found.push({ session: first.session, part: 'session', item: undefined, relation: 'changed', detail });
    break;
  }
  return found;
}

async function* differences(
  first: SourceSession,
  second: SourceSession,
  scope: Scope,
): AsyncGenerator<SessionDifference> {
  yield* compareLogs(first.log(), second.log());
  for (const part of ['snapshot', 'receipt', 'anchor'] as const) {
    yield* orUnreadable(
      part,
      compareDocument(part, () => Promise.all([first[part](), second[part]()])),
    );
  }
  if (scope === 'content') return;
  yield* compareCursors(await first.cursor(), await second.cursor());
  yield* orUnreadable('parked command', compareParked(first, second));
  yield* orUnreadable('dead letter', compareFiled(first.filed(), second.filed()));
}

/** What is damaged in one of the stores is a difference as well. */
async function* orUnreadable(
  part: SessionDifference['part'],
  told: AsyncIterable<SessionDifference>,
): AsyncGenerator<SessionDifference> {
  try {
    yield* told;
  } catch (error) {
    if (!isDamage(error)) throw error;
    yield { part, item: undefined, relation: 'unreadable', detail: error.message };
  }
}

async function* compareDocument(
  part: 'snapshot' | 'receipt' | 'anchor',
  read: () => Promise<readonly [Uint8Array | undefined, Uint8Array | undefined]>,
): AsyncGenerator<SessionDifference> {
  const [first, second] = await read();
  const isSame = (one: Uint8Array, other: Uint8Array): boolean =>
    part === 'snapshot' ? sameDocument(one, other, 'seen_message_ids') : Buffer.compare(one, other) === 0;
  yield* compareRecords({ part, item: undefined }, [first, second], isSame);
}

/** How a store came to what it holds is no difference: neither generation nor version count. */
function* compareCursors(first: Cursor, second: Cursor): Generator<SessionDifference> {
  for (const field of Object.keys(first) as (keyof Cursor)[]) {
    if (field === 'generation' || field === 'version') continue;
    const [one, other] = [first[field], second[field]].map((value) => JSON.stringify(value));
    if (one === other) continue;
    // Digests as text tell nobody anything.
    const detail = field === 'recent' ? undefined : `${one ?? 'none'} and ${other ?? 'none'}`;
    yield { part: 'cursor', item: field, relation: 'changed', detail };
  }
}

async function* compareParked(first: SourceSession, second: SourceSession): AsyncGenerator<SessionDifference> {
  const commands = pairUp(
    onlyItems(first.parked()),
    onlyItems(second.parked()),
    (one, other) => one.sequence - other.sequence,
  );
  for await (const { first: one, second: other } of commands) {
    yield* compareRecords({ part: 'parked command', item: (one ?? other).sequence }, [one, other], sameParked);
  }
}

/** Names the dead letters and decisions in which two lists differ, both in the order of their ids. */
export async function* compareFiled(
  first: AsyncIterable<readonly FiledRecord[]>,
  second: AsyncIterable<readonly FiledRecord[]>,
): AsyncGenerator<SessionDifference> {
  const records = pairUp(onlyItems(first), onlyItems(second), (one, other) => compareText(one.id, other.id));
  for await (const { first: one, second: other } of records) {
    const { kind, id } = one ?? other;
    yield* compareRecords({ part: kind, item: id }, [one, other], sameFiled);
  }
}

function* compareRecords<Item>(
  what: Pick<SessionDifference, 'part' | 'item'>,
  [first, second]: readonly [Item | undefined, Item | undefined],
  isSame: (one: Item, other: Item) => boolean,
): Generator<SessionDifference> {
  const side = onlySide(first, second);
  if (side !== undefined) yield { ...what, relation: onlyIn(side), detail: undefined };
  if (first === undefined || second === undefined || isSame(first, second)) return;
  yield { ...what, relation: 'changed', detail: undefined };
}

/** Where something stood in its source is not what it is: the same commands may come from another source. */
const anywhere = { partition: 0, offset: 0 };

function sameParked(one: ParkedCommand, other: ParkedCommand): boolean {
  const bytes = (command: ParkedCommand) =>
    encodeParkedCommand({ ...command, position: anywhere, message: contentOf(command.message) });
  return Buffer.compare(bytes(one), bytes(other)) === 0;
}

function sameFiled(one: FiledRecord, other: FiledRecord): boolean {
  const bytes = (record: FiledRecord) =>
    encodeFiled(
      record.kind === 'decision'
        ? { ...record, position: anywhere }
        : { ...record, position: anywhere, message: contentOf(record.message) },
    );
  return Buffer.compare(bytes(one), bytes(other)) === 0;
}

/** What a message says, in whatever form it came: its digest is made anew of its data. */
function contentOf(message: Uint8Array): Uint8Array {
  return Buffer.from(filedId(decodeBinary(decodeMessage(message))), 'utf8');
}

async function* onlyItems<Item>(pages: AsyncIterable<readonly Item[]>): AsyncGenerator<Item> {
  for await (const page of pages) yield* page;
}
