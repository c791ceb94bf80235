import { type Cursor, initialCursor } from '../domain/cursor.ts';
import { type DeadLetterStanding, mayBeDecided, standingOf } from '../domain/dead-letter-standing.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { SessionId } from '../domain/identifiers.ts';
import { decodeMessage, type Message } from '../domain/message.ts';
import type { DeadLetter, Decision, FiledId, FiledRecord } from '../domain/plan.ts';
import { remediesFor } from '../domain/standing.ts';
import { decodeBinary } from '../domain/wire/binary.ts';
import type { Clock } from '../ports/clock.ts';
import type {
  DeadLetterDetail,
  DeadLetterPage,
  DeadLetterQuery,
  DeadLetterSummary,
  Service,
} from '../ports/service.ts';
import type { FiledKey, Store } from '../ports/store.ts';
import { isFiledId, readFiledRecord } from '../read-side/filed-record.ts';
import { SessionReader } from '../read-side/session-reader.ts';
import { pageToken, parsePageToken } from './page-token.ts';

/** Where a page ends although it is not full, so that a filter that hardly anything passes holds nobody up. */
const mostScanned = 2_000;
const longestScan = 50;
/** Dead letters that are looked at together: each may hold a command of 16 MiB. */
const groupSize = 16;
const sessionsAtOnce = 1_000;

export interface DeadLettersOptions {
  readonly store: Store;
  readonly clock: Clock;
}

/** Reads dead letters and tells how they stand, see {@link Service}. */
export class DeadLetters implements Pick<Service, 'listDeadLetters' | 'showDeadLetter'> {
  readonly #store: Store;
  readonly #clock: Clock;

  constructor({ store, clock }: DeadLettersOptions) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * One page of dead letters by session, those without one first. Throws `INVALID_REQUEST` when `after` is not the
   * `next` of a page of the same list, and a TypeError unless the limit is a whole number from 1.
   */
  async listDeadLetters(query: DeadLetterQuery): Promise<DeadLetterPage> {
    const { session, limit } = query;
    if (!Number.isSafeInteger(limit) || limit < 1) throw new TypeError('limit must be a whole number from 1');
    const start = this.#clock.elapsed();
    const standings = new Standings(this.#store);
    const letters: DeadLetterSummary[] = [];
    let after = placeAfter(query);
    let scanned = 0;
    do {
      const group = await this.#store.readFiled(session, { after, limit: groupSize });
      const cursors = await standings.cursorsOf(group);
      for (const [index, record] of group.entries()) {
        after = { session: record.session, id: record.id };
        const letter = await summaryOf(record, cursors[index] ?? initialCursor, standings, query);
        if (letter !== undefined) letters.push(letter);
        if (letters.length === limit) return { dead_letters: letters, next: pageToken(after) };
      }
      if (group.length < groupSize) return { dead_letters: letters, next: null };
      scanned += group.length;
    } while (scanned < mostScanned && this.#clock.elapsed() - start < longestScan);
    return { dead_letters: letters, next: after === undefined ? null : pageToken(after) };
  }

  async showDeadLetter(id: FiledId, session: SessionId | undefined): Promise<DeadLetterDetail> {
    const letter = isFiledId(id) ? await this.#find(id, session) : undefined;
    if (letter?.kind !== 'dead letter') throw notStored(id, session, letter);
    const standings = new Standings(this.#store);
    const [cursor = initialCursor] = await standings.cursorsOf([letter]);
    const message = decodeMessage(letter.message);
    return {
      ...describe(letter, await standings.of(letter, cursor)),
      type: typeOf(message),
      message: {
        key_base64: message.key === undefined ? null : Buffer.from(message.key).toString('base64'),
        headers: message.headers.map(([name, value]) => [name, Buffer.from(value).toString('latin1')]),
        value_base64: Buffer.from(message.value).toString('base64'),
      },
      remedies: letter.session === undefined ? [] : remediesFor(letter.session, cursor),
    };
  }

  /** What is filed under `id`: in the session, or wherever it is. */
  async #find(id: FiledId, session: SessionId | undefined): Promise<FiledRecord | undefined> {
    if (session !== undefined) return await readFiledRecord(this.#store, { session, id });
    const homeless = await readFiledRecord(this.#store, { session: undefined, id });
    if (homeless !== undefined) return homeless;
    for (let after: SessionId | undefined; ; ) {
      const page = await this.#store.listCursors({ after, limit: sessionsAtOnce });
      const keys = page.filter(([, cursor]) => cursor.filed > 0).map(([holder]) => ({ session: holder, id }));
      const found = await this.#store.areFiled(keys);
      const key = keys.find((_, index) => found[index]);
      if (key !== undefined) return await readFiledRecord(this.#store, key);
      after = page.at(-1)?.[0];
      if (after === undefined || page.length < sessionsAtOnce) return undefined;
    }
  }
}

/** How dead letters stand, with the decisions of a session read at most once. */
class Standings {
  readonly #store: Store;
  readonly #decisions = new Map<SessionId, readonly Decision[]>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** The cursors of the sessions of the records, in their order. */
  async cursorsOf(records: readonly FiledRecord[]): Promise<readonly Cursor[]> {
    const sessions = [...new Set(records.map(({ session }) => session).filter((session) => session !== undefined))];
    const cursors = await this.#store.readCursors(sessions);
    const bySession = new Map<SessionId | undefined, Cursor | undefined>(
      sessions.map((session, index) => [session, cursors[index]]),
    );
    return records.map(({ session }) => bySession.get(session) ?? initialCursor);
  }

  async of(letter: DeadLetter, cursor: Cursor): Promise<DeadLetterStanding> {
    const { session } = letter;
    const isAsked = session !== undefined && mayBeDecided(letter, cursor);
    return standingOf(letter, cursor, isAsked ? await this.#decisionsOf(session) : []);
  }

  async #decisionsOf(session: SessionId): Promise<readonly Decision[]> {
    const known = this.#decisions.get(session);
    if (known !== undefined) return known;
    const decisions: Decision[] = [];
    for await (const record of new SessionReader(this.#store).filed(session)) {
      if (record.kind === 'decision') decisions.push(record);
    }
    this.#decisions.set(session, decisions);
    return decisions;
  }
}

/** The record as it is listed, or undefined when the query does not ask for it. */
async function summaryOf(
  record: FiledRecord,
  cursor: Cursor,
  standings: Standings,
  { reason, state }: DeadLetterQuery,
): Promise<DeadLetterSummary | undefined> {
  if (record.kind !== 'dead letter' || (reason !== undefined && record.reason !== reason)) return undefined;
  const standing = await standings.of(record, cursor);
  return state === undefined || standing.state === state ? describe(record, standing) : undefined;
}

function describe(letter: DeadLetter, { state, standing, decided }: DeadLetterStanding): DeadLetterSummary {
  const { id, reason, detail, refusal, session, writer, epoch, sequence, position } = letter;
  return {
    id,
    reason,
    detail,
    code: refusal?.code ?? null,
    session_id: session ?? null,
    writer: writer ?? null,
    epoch: epoch ?? null,
    sequence: sequence ?? null,
    position,
    state,
    standing: standing ?? null,
    decided: decided ?? null,
  };
}

function placeAfter({ session, after }: DeadLetterQuery): FiledKey | undefined {
  if (after === undefined) return undefined;
  const place = parsePageToken(after);
  if (session === undefined || place.session === session) return place;
  throw new PersistenceError('INVALID_REQUEST', 'after is of a page of another session');
}

/** The type that the message says it has, or null when it says none. */
function typeOf(message: Message): string | null {
  const content = decodeBinary(message);
  if (content.kind !== 'unreadable') return content.type;
  const header = message.headers.find(([name]) => name === 'ce_type');
  return header === undefined ? null : Buffer.from(header[1]).toString('utf8');
}

function notStored(id: string, session: SessionId | undefined, found: FiledRecord | undefined): PersistenceError {
  const place = session === undefined ? 'this store' : `session ${JSON.stringify(session)}`;
  const what = found === undefined ? 'is no dead letter' : 'is a decision that took effect, no dead letter';
  return new PersistenceError('NOT_STORED', `${JSON.stringify(id)} ${what} of ${place}`);
}
