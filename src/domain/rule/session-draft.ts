import type { ClaimCommand, SkipCommand } from '../command.ts';
import { type Cursor, initialCursor, remember, withEndedReign, withSkipped } from '../cursor.ts';
import type { Delivery, NumberedContent } from '../delivery.ts';
import { shortDigest } from '../digest.ts';
import type { Sequence, SessionId } from '../identifiers.ts';
import type {
  FiledId,
  FiledRecord,
  LogChange,
  ParkedCommand,
  ParkedHeader,
  Replacement,
  SessionChange,
} from '../plan.ts';
import type { SessionState } from './knowledge.ts';

const nothing: readonly never[] = [];

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** One session while a batch is decided: its cursor as it would be, and everything the commit will do to it. */
export class SessionDraft {
  readonly session: SessionId;
  readonly #before: Cursor | undefined;
  readonly #parkedBefore: ReadonlyMap<Sequence, ParkedHeader>;
  readonly #cursor: Mutable<Cursor>;
  #resetsLog = false;
  #removesLog = false;
  #entries: Uint8Array[] | undefined;
  #snapshot: Replacement | undefined;
  #receipt: Replacement | undefined;
  #anchor: Replacement | undefined;
  // Most sessions of a batch never park or file anything, and there are thousands of drafts in one.
  #parked: Map<Sequence, ParkedCommand> | undefined;
  #unparked: Set<Sequence> | undefined;
  #filed: Map<FiledId, FiledRecord> | undefined;

  constructor(session: SessionId, state: SessionState) {
    this.session = session;
    this.#before = state.cursor;
    this.#parkedBefore = state.parked;
    this.#cursor = { ...(state.cursor ?? initialCursor) };
  }

  get cursor(): Cursor {
    return this.#cursor;
  }

  /** True when the store had filed anything under the session before this batch. */
  get wasFiled(): boolean {
    return this.#before !== undefined && this.#before.filed > 0;
  }

  /** True when this batch filed `id`. */
  hasJustFiled(id: FiledId): boolean {
    return this.#filed?.has(id) === true;
  }

  parkedAt(sequence: Sequence): ParkedHeader | undefined {
    const added = this.#parked?.get(sequence);
    if (added !== undefined) return added;
    return this.#unparked?.has(sequence) ? undefined : this.#parkedBefore.get(sequence);
  }

  /** The whole command when this batch parked it. */
  justParked(sequence: Sequence): ParkedCommand | undefined {
    return this.#parked?.get(sequence);
  }

  /** Everything parked now, ascending by sequence. */
  allParked(): readonly ParkedHeader[] {
    const kept = [...this.#parkedBefore.values()].filter(({ sequence }) => !this.#unparked?.has(sequence));
    return [...kept, ...(this.#parked?.values() ?? [])].sort((one, other) => one.sequence - other.sequence);
  }

  /** The session's first reign begins; the command that opened it is decided next. */
  open(content: NumberedContent): void {
    this.#cursor.epoch = content.epoch;
    this.#cursor.writer = content.writer;
    this.#cursor.first = content.sequence;
  }

  /** A new reign begins. What was parked must have been taken out and filed before. */
  claim(content: ClaimCommand): void {
    const cursor = this.#cursor;
    cursor.earlier = withEndedReign(cursor);
    cursor.epoch = content.epoch;
    cursor.writer = content.writer;
    cursor.first = (cursor.last + 1) as Sequence;
    cursor.recent = '';
    cursor.skipped = [];
    cursor.halted = false;
    cursor.refused = false;
    cursor.version += 1;
  }

  /** An operator passes over the open number. */
  skip(content: SkipCommand, record: FiledRecord): void {
    const cursor = this.#cursor;
    cursor.last = content.decision.sequence;
    cursor.recent = remember(cursor.recent, undefined);
    cursor.skipped = withSkipped(cursor.skipped, content.decision.sequence);
    cursor.refused = false;
    this.file(record, 'none');
  }

  park(command: ParkedCommand): void {
    this.#parked ??= new Map();
    this.#parked.set(command.sequence, command);
    this.#cursor.parkedCommands += 1;
    this.#cursor.parkedBytes += command.bytes;
    this.#cursor.version += 1;
  }

  unpark(header: ParkedHeader): void {
    if (!this.#parked?.delete(header.sequence)) {
      this.#unparked ??= new Set();
      this.#unparked.add(header.sequence);
    }
    this.#cursor.parkedCommands -= 1;
    this.#cursor.parkedBytes -= header.bytes;
  }

  file(record: FiledRecord, effect: 'none' | 'halts' | 'blocks'): void {
    this.#filed ??= new Map();
    this.#filed.set(record.id, record);
    this.#cursor.filed += 1;
    this.#cursor.version += 1;
    if (effect === 'halts') this.#cursor.halted = true;
    if (effect === 'blocks') this.#cursor.refused = true;
  }

  /** The next command in sequence takes effect. */
  apply(content: NumberedContent): void {
    const cursor = this.#cursor;
    cursor.last = content.sequence;
    cursor.recent = remember(cursor.recent, shortDigest(content.digest));
    cursor.refused = false;
    cursor.version += 1;
    this.#takeEffect(content);
  }

  #takeEffect(content: NumberedContent): void {
    switch (content.type) {
      case 'macp.session.create.v1':
        this.#cursor.presence = 'known';
        return;
      case 'macp.log.append.v1':
        return this.#append(content);
      case 'macp.session.save.v1':
        this.#cursor.presence = 'known';
        this.#snapshot = content.data;
        return;
      case 'macp.log.replace.v1':
        this.#cursor.presence = 'known';
        this.#removesLog = false;
        return this.#restartLog(entriesOf(content), content.facts.compactionBase);
      case 'macp.session.delete.v1':
        return this.#delete();
      case 'macp.receipt.store.v1':
        return this.#storeReceipt(content.data);
      case 'macp.anchor.store.v1':
        return this.#storeAnchor(content.data);
      default:
        throw new TypeError(`a command of type ${content.type} cannot take effect`);
    }
  }

  #append(content: NumberedContent): void {
    this.#cursor.presence = 'known';
    this.#removesLog = false;
    this.#entries ??= [];
    this.#entries.push(content.data);
    this.#cursor.entries += 1;
    this.#cursor.compactionBase = Math.max(this.#cursor.compactionBase, content.facts.compactionBase);
  }

  #restartLog(entries: Uint8Array[], compactionBase: number): void {
    this.#resetsLog = true;
    this.#entries = entries;
    this.#cursor.entries = entries.length;
    this.#cursor.generation += 1;
    this.#cursor.compactionBase = compactionBase;
  }

  #delete(): void {
    const cursor = this.#cursor;
    cursor.presence = 'deleted';
    cursor.hasReceipt = false;
    cursor.hasAnchor = false;
    this.#snapshot = 'remove';
    this.#receipt = 'remove';
    this.#anchor = 'remove';
    this.#removesLog = true;
    this.#restartLog([], 0);
  }

  /** First writer wins; a receipt never makes a session known. */
  #storeReceipt(data: Uint8Array): void {
    if (this.#cursor.presence !== 'known' || this.#cursor.hasReceipt) return;
    this.#receipt = data;
    this.#cursor.hasReceipt = true;
  }

  #storeAnchor(data: Uint8Array): void {
    if (this.#cursor.presence !== 'known') return;
    this.#anchor = data;
    this.#cursor.hasAnchor = true;
  }

  #logChange(entries: readonly Uint8Array[]): LogChange {
    const log = { reset: this.#resetsLog, entries };
    return this.#removesLog ? { ...log, removed: true } : log;
  }

  /** What the commit does to the session, or undefined when nothing changed. */
  change(): SessionChange | undefined {
    if (this.#cursor.version === (this.#before?.version ?? 0)) return undefined;
    const entries = this.#entries ?? nothing;
    const logChanged = this.#resetsLog || entries.length > 0;
    return {
      session: this.session,
      before: this.#before,
      after: this.#cursor,
      log: logChanged ? this.#logChange(entries) : undefined,
      snapshot: this.#snapshot,
      receipt: this.#receipt,
      anchor: this.#anchor,
      parked: this.#parked === undefined ? nothing : [...this.#parked.values()],
      unparked: this.#unparked === undefined ? nothing : [...this.#unparked],
      filed: this.#filed === undefined ? nothing : [...this.#filed.values()],
    };
  }
}

/** The header under which a delivery is parked, and its whole message. */
export function parkedCommand(
  content: NumberedContent,
  position: Delivery['position'],
  message: Uint8Array,
): ParkedCommand {
  const { sequence, epoch, writer, digest, data, refusal } = content;
  return { sequence, epoch, writer, digest, bytes: data.length, refusal: refusal?.code, position, message };
}

function entriesOf({ data, facts }: NumberedContent): Uint8Array[] {
  const bounds = facts.entryBounds ?? [];
  const entries: Uint8Array[] = [];
  for (let index = 0; index + 1 < bounds.length; index += 2) {
    entries.push(data.subarray(bounds[index], bounds[index + 1]));
  }
  return entries;
}
