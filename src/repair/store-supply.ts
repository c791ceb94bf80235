import { commandId, type NumberedCommand, type NumberedType, wireLimits } from '../domain/command.ts';
import { type Cursor, rememberedDigest } from '../domain/cursor.ts';
import { commandDigest, shortDigest } from '../domain/digest.ts';
import type { SessionId } from '../domain/identifiers.ts';
import { decodeMessage } from '../domain/message.ts';
import { decodeBinary } from '../domain/wire/binary.ts';
import type { SessionView, Store } from '../ports/store.ts';
import { isOpen, type OpenNumber, type OpenNumbers, type Supply } from './supply.ts';

/** What of a command its number does not tell. */
type Wanted = Pick<NumberedCommand, 'type' | 'data'>;

const nothing = new Uint8Array();

/**
 * The commands that another store of the same commands still has: a backup, or the store of another consumer group. It
 * may keep a command parked; or it has applied it, remembers its digest, and holds the document that has this digest.
 */
export class StoreSupply implements Supply {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async *commands(open: OpenNumbers): AsyncGenerator<NumberedCommand> {
    for (const session of [...open.keys()]) {
      for (let wanted = open.get(session); wanted !== undefined; ) {
        const command = await this.#find(session, wanted);
        if (command === undefined || !isOpen(open, command)) break;
        yield command;
        const next = open.get(session);
        wanted = next?.sequence === wanted.sequence ? undefined : next;
      }
    }
  }

  async #find(session: SessionId, { sequence, reign }: OpenNumber): Promise<NumberedCommand | undefined> {
    const parked = await this.#findParked(session, sequence);
    if (parked !== undefined) return parked;
    const [cursor] = await this.#store.readCursors([session]);
    if (cursor?.writer === undefined || (reign !== undefined && reign.epoch !== cursor.epoch)) return undefined;
    const { epoch, writer } = cursor;
    const found = await this.#findApplied(session, sequence, cursor);
    if (found === undefined) return undefined;
    return { kind: 'numbered', session, epoch, writer, sequence, id: commandId(session, epoch, sequence), ...found };
  }

  async #findParked(session: SessionId, sequence: OpenNumber['sequence']): Promise<NumberedCommand | undefined> {
    const headers = await this.#store.readParkedHeaders(session);
    const header = headers.find((parked) => parked.sequence === sequence && parked.refusal === undefined);
    if (header === undefined) return undefined;
    const [parked] = await this.#store.readParked(session, [sequence]);
    const content = parked === undefined ? undefined : decodeBinary(decodeMessage(parked.message));
    if (content?.kind !== 'numbered' || content.refusal !== undefined) return undefined;
    const { type, epoch, writer, data } = content;
    // A content without a refusal is of one of the numbered types.
    const known = type as NumberedType;
    return {
      kind: 'numbered',
      type: known,
      session,
      epoch,
      writer,
      sequence,
      id: commandId(session, epoch, sequence),
      data,
    };
  }

  async #findApplied(
    session: SessionId,
    sequence: OpenNumber['sequence'],
    cursor: Cursor,
  ): Promise<Wanted | undefined> {
    const isOfReign = cursor.first <= sequence && sequence <= cursor.last;
    const digest = isOfReign ? rememberedDigest(cursor, sequence) : undefined;
    if (digest === undefined) return undefined;
    await using view = await this.#store.openSession(session);
    for await (const { type, data } of candidates(view)) {
      if (shortDigest(commandDigest(type, data)) === digest) return { type, data };
    }
    return undefined;
  }
}

/** What the latest commands of a session can have been, as far as they left it in the store. */
async function* candidates(view: SessionView | undefined): AsyncGenerator<Wanted> {
  yield { type: 'macp.session.create.v1', data: nothing };
  yield { type: 'macp.session.delete.v1', data: nothing };
  if (view === undefined) return;
  for (const [type, data] of [
    ['macp.session.save.v1', await view.snapshot()],
    ['macp.receipt.store.v1', await view.receipt()],
    ['macp.anchor.store.v1', await view.anchor()],
  ] as const) {
    if (data !== undefined) yield { type, data };
  }
  const { entries } = view.cursor;
  const latest = Math.max(0, entries - wireLimits.rememberedDigests);
  for await (const page of view.log({ from: latest })) {
    for (const data of page) yield { type: 'macp.log.append.v1', data };
  }
  yield* replacements(view);
}

/** Every beginning of the log that may have been put there as a whole, with all that was added since behind it. */
async function* replacements(view: SessionView): AsyncGenerator<Wanted> {
  const shortest = Math.max(0, view.cursor.entries - wireLimits.rememberedDigests);
  const texts: Uint8Array[] = [];
  let bytes = 1;
  for await (const page of view.log()) {
    for (const entry of page) {
      if (texts.length >= shortest) yield { type: 'macp.log.replace.v1', data: arrayOf(texts) };
      bytes += entry.length + 1;
      if (bytes > wireLimits.dataBytes) return;
      texts.push(entry);
    }
  }
  yield { type: 'macp.log.replace.v1', data: arrayOf(texts) };
}

function arrayOf(texts: readonly Uint8Array[]): Uint8Array {
  const parts = texts.flatMap((text, index) => (index === 0 ? [text] : [comma, text]));
  return Buffer.concat([opening, ...parts, closing]);
}

const [opening, comma, closing] = [Buffer.from('['), Buffer.from(','), Buffer.from(']')];
