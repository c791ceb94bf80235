import { wireLimits } from '../../src/domain/command.ts';
import { parseSessionId, type SessionId } from '../../src/domain/identifiers.ts';
import { Random } from '../power-cut/random.ts';
import type { Written } from './command-stream.ts';
import { entryLimits, snapshotLimits } from './limits.ts';
import { entryFields, snapshotFields } from './releases.ts';

/**
 * What a writer might send of `count` sessions, the same for the same seed, the sessions interleaved. Over all of them
 * every field takes each of its limits, in combinations that the seed chooses; documents vary in the order of their
 * members, in fields that no release knows, and in fields that are missing where upstream allows it. A few sessions
 * hold documents as large as the wire allows, some are deleted and begun again, some have no snapshot or no log.
 */
export function generateCommands(seed: number, count: number): readonly Written[] {
  const generator = new Generator(seed);
  const waiting = Array.from({ length: count }, (_, index) => generator.session(index));
  const random = new Random(seed + 1);
  const commands: Written[] = [];
  while (waiting.length > 0) {
    const at = random.below(waiting.length);
    const next = waiting[at]?.shift();
    if (next === undefined) waiting.splice(at, 1);
    else commands.push(next);
  }
  return commands;
}

class Generator {
  readonly #random: Random;
  /** How many values each field has had: they take turns, so that none is left to chance. */
  readonly #turns = new Map<string, number>();

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  session(index: number): Written[] {
    const session = sessionId(index);
    const commands: Written[] = [command('macp.session.create.v1', session, '')];
    const append = (): void => void commands.push(command('macp.log.append.v1', session, this.#entry()));
    const save = (): void => void commands.push(command('macp.session.save.v1', session, this.#snapshot(session)));
    const opaque = (type: Written['type']): void => void commands.push({ type, session, data: this.#opaque() });
    for (let left = this.#random.below(5); left > 0; left -= 1) {
      append();
      if (this.#random.below(3) === 0) save();
    }
    if (index % 11 === 0) commands.push(command('macp.log.replace.v1', session, this.#entries()));
    if (index % 13 === 0) {
      commands.push(command('macp.session.delete.v1', session, ''));
      if (index % 2 === 0) return commands;
      commands.push(command('macp.session.create.v1', session, ''));
    }
    if (index % 7 === 0) opaque('macp.receipt.store.v1');
    if (index % 14 === 0) opaque('macp.receipt.store.v1');
    if (index % 5 === 0) opaque('macp.anchor.store.v1');
    if (index % 10 === 0) opaque('macp.anchor.store.v1');
    if (index % 17 !== 0) save();
    if (index % 3 === 0) append();
    const large = largest[index - 1];
    if (large !== undefined) commands.push(command('macp.log.append.v1', session, large()));
    return commands;
  }

  #entries(): string {
    return `[${Array.from({ length: this.#random.below(4) }, () => this.#entry()).join(',')}]`;
  }

  #entry(): string {
    const members = [...entryLimits].map(([name, limits]) => [name, this.#turn(`entry.${name}`, limits)] as const);
    return this.#document(members, entryFields['0.13.0']);
  }

  #snapshot(session: SessionId): string {
    const members = [...snapshotLimits].map(([name, limits]) => [name, this.#turn(`session.${name}`, limits)] as const);
    return this.#document([...members, ['session_id', JSON.stringify(session)]], snapshotFields['0.13.0']);
  }

  /** Most are as upstream writes them; the others are such as only its reading allows. */
  #document(members: readonly (readonly [string, string])[], fields: ReadonlyMap<string, string>): string {
    const kept = this.#random.below(6) === 0 ? this.#without(members, fields) : [...members];
    if (this.#random.below(6) === 0) kept.push(['of_a_later_release', '{"a":[1.0,{"b":null}]}'], ['zz', '0']);
    if (this.#random.below(6) === 0) this.#shuffle(kept);
    return `{${kept.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
  }

  #without(members: readonly (readonly [string, string])[], fields: ReadonlyMap<string, string>) {
    return members.filter(([name]) => fields.get(name) === 'required' || this.#random.below(2) === 0);
  }

  #shuffle<Item>(items: Item[]): void {
    for (let last = items.length - 1; last > 0; last -= 1) {
      const other = this.#random.below(last + 1);
      [items[last], items[other]] = [items[other] as Item, items[last] as Item];
    }
  }

  #turn(field: string, limits: readonly string[]): string {
    const turn = this.#turns.get(field) ?? this.#random.below(limits.length);
    this.#turns.set(field, turn + 1);
    return limits[turn % limits.length] ?? '';
  }

  #opaque(): Uint8Array {
    const lengths = [0, 1, 255, 4_096];
    const length = lengths[this.#random.below(lengths.length)] ?? 0;
    return Uint8Array.from({ length }, () => this.#random.below(256));
  }
}

/** Ids at the limits of what is one, and then such as macp-runtime makes. */
function sessionId(index: number): SessionId {
  const special = specialIds[index];
  return parseSessionId(special ?? `${'generated'.repeat(2)}-session-${index}`);
}

const specialIds: readonly string[] = [
  ...['a', 'A', 'aa', 'a.', 'a..', '...', '.hidden', '-rf', '~', ' ', 'a b', '\u0001', '\n', '\u007f', '"', "'"],
  ...['é', 'e\u0301', '数据', '\u{10ffff}', '\uffff', '\u2028', '%2F', '%00', 'a:b', 'a*', 'a?', '{a}', '$a', 'CON'],
  ...['constructor', '__proto__', 'anchor', 'meta', 'sessions', 'session.json', 'log.jsonl', 'x.tmp', '00000000'],
  ...['x'.repeat(255), '\u{1f680}'.repeat(63), `${'y'.repeat(254)}\u0001`.slice(0, 255)],
];

/** Entries as large as a command may be, and with a payload as large as macp-runtime takes. */
const largest: readonly (() => string)[] = [
  () => largeEntry(wireLimits.dataBytes),
  () => largeEntry(4 * 1024 * 1024),
  () => largeEntry(70_000),
];

/** A log entry of exactly so many bytes. */
function largeEntry(bytes: number): string {
  const [before, after] = largeEntryParts;
  const room = bytes - before.length - after.length;
  const payload = '255,'.repeat(Math.floor((room - 1) / 4)) + ['0', '10', '100', '1,10'][(room - 1) % 4];
  return `${before}${payload}${after}`;
}

const largeEntryParts = [
  '{"message_id":"large","received_at_ms":1,"sender":"agent://lead","message_type":"Contribute","raw_payload":[',
  '],"entry_kind":"Incoming"}',
] as const;

function command(type: Written['type'], session: SessionId, text: string): Written {
  return { type, session, data: Buffer.from(text, 'utf8') };
}
