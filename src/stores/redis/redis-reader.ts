import type { Cursor } from '../../domain/cursor.ts';
import { decodeCursor } from '../../domain/encoding/cursor.ts';
import { decodeFiled } from '../../domain/encoding/filed.ts';
import { decodeParkedCommand, decodeParkedHeader } from '../../domain/encoding/parked.ts';
import { decodeStoredPosition } from '../../domain/encoding/position.ts';
import type { Sequence, SessionId } from '../../domain/identifiers.ts';
import type { FiledRecord, ParkedCommand, ParkedHeader, SourceId, StoredPosition } from '../../domain/plan.ts';
import { emptyTotals, type StoreTotals } from '../../domain/totals.ts';
import { checkedLimit } from '../../ports/log-range.ts';
import type { FiledKey, Page } from '../../ports/store.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { bytesOf, listOf, textOf, textsOf } from '../../redis/replies.ts';
import { missingParked } from '../plan-checks.ts';
import { type Bucket, filedName, type KeySpace, parsePositionName } from './keys.ts';
import { mergeSorted, type ReadOn } from './merge.ts';
import { addStoredTotals, totalNames } from './totals.ts';

/** Scanned at a time for sessions of which not all are wanted. */
const scannedAtOnce = 1_000;

/** A name in a sorted set, as bytes, which it is sorted by, and where it lies. */
interface Member {
  readonly name: Buffer;
  readonly bucket: Bucket;
}

/** Reads records of a store. */
export class RedisReader {
  readonly #connection: RedisConnection;
  readonly #keys: KeySpace;

  constructor(connection: RedisConnection, keys: KeySpace) {
    this.#connection = connection;
    this.#keys = keys;
  }

  async cursors(sessions: readonly SessionId[]): Promise<readonly (Cursor | undefined)[]> {
    const found = await this.#inBuckets(
      sessions,
      (session) => this.#keys.bucketOf(session),
      async (bucket, part) => listOf(await this.#connection.command('HMGET', bucket.cursors, ...part)),
    );
    return found.map((reply) => {
      const bytes = bytesOf(reply);
      return bytes === undefined ? undefined : decodeCursor(bytes);
    });
  }

  async parkedHeaders(session: SessionId): Promise<readonly ParkedHeader[]> {
    const key = this.#keys.bucketOf(session).parkedHeaders(session);
    const found = listOf(await this.#connection.command('HVALS', key));
    return found.map((header) => decodeParkedHeader(bytesOf(header) ?? new Uint8Array())).sort(bySequence);
  }

  async parked(session: SessionId, sequences: readonly Sequence[]): Promise<readonly ParkedCommand[]> {
    if (sequences.length === 0) return [];
    const key = this.#keys.bucketOf(session).parkedCommands(session);
    const found = listOf(await this.#connection.command('HMGET', key, ...sequences.map(String)));
    return sequences.map((sequence, index) => {
      const bytes = bytesOf(found[index]);
      if (bytes === undefined) throw missingParked(session, sequence);
      return decodeParkedCommand(bytes);
    });
  }

  async areFiled(keys: readonly FiledKey[]): Promise<readonly boolean[]> {
    const found = await this.#inBuckets(
      keys,
      ({ session }) => this.#bucketOfFiled(session),
      async (bucket, part) => {
        const names = part.map(({ session, id }) => filedName(session, id));
        return listOf(await this.#connection.command('ZMSCORE', bucket.filedOrder, ...names));
      },
    );
    return found.map((score) => score !== null);
  }

  async filed(session: SessionId | undefined, page: Page<FiledKey>): Promise<readonly FiledRecord[]> {
    const limit = checkedLimit(page.limit);
    const after = page.after === undefined ? undefined : Buffer.from(filedName(page.after.session, page.after.id));
    const within = session === undefined ? { min: '-', max: '+' } : { min: `[${session}\0`, max: `(${session}\x01` };
    const buckets = session === undefined ? this.#keys.buckets : [this.#keys.bucketOf(session)];
    const members = await this.#members(buckets, ({ filedOrder }) => filedOrder, { after, limit }, within);
    const found = await this.#inBuckets(
      members,
      ({ bucket }) => bucket,
      async (bucket, part) =>
        listOf(await this.#connection.command('HMGET', bucket.filed, ...part.map(({ name }) => name))),
    );
    return found.map((record) => decodeFiled(bytesOf(record) ?? new Uint8Array()));
  }

  /** All stored positions by source and partition, the sources in UTF-8 byte order. */
  async positions(): Promise<ReadonlyMap<SourceId, ReadonlyMap<number, StoredPosition>>> {
    const found = listOf(await this.#connection.command('HGETALL', this.#keys.positions));
    const positions = new Map<SourceId, Map<number, StoredPosition>>();
    for (let index = 0; index < found.length; index += 2) {
      const { source, partition } = parsePositionName(textOf(found[index]) ?? '');
      const position = decodeStoredPosition(bytesOf(found[index + 1]) ?? new Uint8Array());
      positions.set(source, (positions.get(source) ?? new Map()).set(partition, position));
    }
    return new Map([...positions].sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other))));
  }

  async totals(): Promise<StoreTotals> {
    const totals = emptyTotals();
    const stored = await Promise.all(
      this.#keys.buckets.map((bucket) => this.#connection.command('HMGET', bucket.totals, ...totalNames)),
    );
    for (const reply of stored) addStoredTotals(totals, listOf(reply).map(textOf));
    return totals;
  }

  /** Sessions and cursors in order, those that `accept` takes. */
  async cursorPage(
    page: Page<SessionId>,
    accept: (cursor: Cursor) => boolean,
  ): Promise<readonly (readonly [SessionId, Cursor])[]> {
    const limit = checkedLimit(page.limit);
    const accepted: (readonly [SessionId, Cursor])[] = [];
    let after: Buffer | undefined = page.after === undefined ? undefined : Buffer.from(page.after);
    for (;;) {
      const count = Math.min(scannedAtOnce, limit);
      const members = await this.#members(this.#keys.buckets, ({ order }) => order, { after, limit: count });
      const sessions = textsOf(members.map(({ name }) => name)) as readonly SessionId[];
      const cursors = await this.cursors(sessions);
      for (const [index, session] of sessions.entries()) {
        const cursor = cursors[index];
        if (cursor === undefined || !accept(cursor)) continue;
        accepted.push([session, cursor]);
        if (accepted.length === limit) return accepted;
      }
      if (members.length < count) return accepted;
      after = members.at(-1)?.name;
    }
  }

  /** The names that follow `after` in the sorted sets of several buckets. */
  #members(
    buckets: readonly Bucket[],
    keyOf: (bucket: Bucket) => string,
    { after, limit }: Page<Buffer>,
    { min, max } = { min: '-', max: '+' },
  ): Promise<readonly Member[]> {
    const readers = buckets.map(
      (bucket): ReadOn<Member> =>
        async (last, count) => {
          const from = last?.name ?? after;
          const start = from === undefined || isBelow(from, min) ? min : Buffer.concat([Buffer.from('('), from]);
          const found = await this.#connection.command(
            'ZRANGEBYLEX',
            keyOf(bucket),
            start,
            max,
            'LIMIT',
            '0',
            String(count),
          );
          return listOf(found).map((name) => ({ name: Buffer.from(bytesOf(name) ?? []), bucket }));
        },
    );
    return mergeSorted(readers, limit, (one, other) => Buffer.compare(one.name, other.name));
  }

  /** Asks each bucket once for those of `items` that lie in it; the answers come in the order of the items. */
  async #inBuckets<Item, Answer>(
    items: readonly Item[],
    bucketOf: (item: Item) => Bucket,
    ask: (bucket: Bucket, part: readonly Item[]) => Promise<readonly Answer[]>,
  ): Promise<readonly Answer[]> {
    const parts = new Map<Bucket, number[]>();
    for (const [index, item] of items.entries()) {
      const bucket = bucketOf(item);
      const part = parts.get(bucket);
      if (part === undefined) parts.set(bucket, [index]);
      else part.push(index);
    }
    const answers: Answer[] = [];
    await Promise.all(
      [...parts].map(async ([bucket, indexes]) => {
        const found = await ask(
          bucket,
          indexes.map((index) => items[index] as Item),
        );
        for (const [at, index] of indexes.entries()) answers[index] = found[at] as Answer;
      }),
    );
    return answers;
  }

  #bucketOfFiled(session: SessionId | undefined): Bucket {
    return session === undefined ? this.#keys.home : this.#keys.bucketOf(session);
  }
}

/** True when everything from `min` on, a bound of a range of names, lies behind `name`. */
function isBelow(name: Buffer, min: string): boolean {
  return min !== '-' && Buffer.compare(name, Buffer.from(min.slice(1))) < 0;
}

function bySequence(one: ParkedHeader, other: ParkedHeader): number {
  return one.sequence - other.sequence;
}
