import { ClassicLevel } from 'classic-level';
import type { Stored, StoredSession } from './model.ts';

/** Kinds of keys by their first byte (docs/decisions/0007-level-layout.md). */
const kinds: ReadonlyMap<string, Kind> = new Map([
  ['c', 'cursor'],
  ['e', 'entry'],
  ['s', 'snapshot'],
  ['r', 'receipt'],
  ['a', 'anchor'],
  ['h', 'parked'],
  ['f', 'dead letter'],
  ['g', 'garbage'],
]);

type Kind = 'cursor' | 'entry' | 'snapshot' | 'receipt' | 'anchor' | 'parked' | 'dead letter' | 'garbage';

interface Found {
  exists: boolean;
  snapshot: string | undefined;
  parked: number;
  readonly deadLetters: string[];
  /** Entries by generation, in their order. */
  readonly generations: Map<number, string[]>;
  readonly garbage: Set<number>;
  /** Names of its keys that a session which does not exist must not have. */
  readonly kinds: Set<string>;
}

/**
 * Reads a level store by its documented key space. Nobody else may have it open. Of a log, those entries count that
 * stand in no generation with a garbage marker.
 */
export async function readLevel(directory: string): Promise<Stored> {
  await using level = await openLevel(directory);
  const found = new Map<string, Found>();
  for await (const [key, value] of level.iterator()) note(found, key, value);
  return storedOf(found);
}

/** The next offset of each partition, by the positions of the only source that the store was filled from. */
export async function readLevelPositions(directory: string): Promise<ReadonlyMap<number, number>> {
  await using level = await openLevel(directory);
  const positions = new Map<number, number>();
  for await (const [key, value] of level.iterator({ gte: Buffer.from('q'), lt: Buffer.from('r') })) {
    positions.set(key.readUInt32BE(key.length - 4), nextOffsetOf(value));
  }
  return positions;
}

/** Opens the database that lies there, with nothing of the product in between. */
export async function openLevel(directory: string): Promise<ClassicLevel<Buffer, Buffer> & AsyncDisposable> {
  const encodings = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const;
  const level = new ClassicLevel<Buffer, Buffer>(directory, { ...encodings, createIfMissing: false });
  await level.open();
  return Object.assign(level, { [Symbol.asyncDispose]: () => level.close() });
}

/** A stored position begins with the version of its format, 1, and the next offset, seven bits a byte, lowest first. */
export function nextOffsetOf(position: Uint8Array): number {
  if (position[0] !== 1) throw new Error('a position of an unknown format');
  return varintAt(position, 1).value;
}

function note(found: Map<string, Found>, key: Buffer, value: Buffer): void {
  const kind = kinds.get(String.fromCharCode(key[0] ?? 0));
  if (kind === undefined) return;
  const end = key.indexOf(0, 1);
  const session = key.toString('utf8', 1, end < 0 ? undefined : end);
  const of = found.get(session) ?? nothing();
  found.set(session, of);
  of.kinds.add(kind);
  if (kind === 'cursor') of.exists = isKnown(value);
  else if (kind === 'snapshot') of.snapshot = value.toString('utf8');
  else if (kind === 'parked') of.parked += 1;
  else if (kind === 'dead letter') of.deadLetters.push(value.toString('utf8'));
  else if (kind === 'garbage') of.garbage.add(key.readUInt32BE(key.length - 4));
  else if (kind === 'entry') {
    const generation = key.readUInt32BE(end + 1);
    const entries = of.generations.get(generation) ?? [];
    of.generations.set(generation, entries);
    entries.push(value.toString('utf8'));
  }
}

function storedOf(found: ReadonlyMap<string, Found>): Stored {
  const sessions = new Map<string, StoredSession>();
  const others: string[] = [];
  for (const [session, { exists, snapshot, deadLetters, parked, generations, garbage, kinds: has }] of found) {
    const live = [...generations].filter(([generation]) => !garbage.has(generation));
    const [[, log] = [0, []], ...more] = live;
    if (more.length > 0) others.push(`another log of ${session}`);
    if (exists) sessions.set(session, { log, snapshot, deadLetters, parked });
    else others.push(`${[...has].join(', ')} of ${session}`);
  }
  return { sessions, others };
}

/** A cursor: version of its format, its own version, and a byte whose lowest two bits are 1 where the session exists. */
function isKnown(cursor: Buffer): boolean {
  const { next } = varintAt(cursor, 1);
  return ((cursor[next] ?? 0) & 3) === 1;
}

function varintAt(bytes: Uint8Array, start: number): { readonly value: number; readonly next: number } {
  let value = 0;
  let scale = 1;
  for (let at = start; ; at += 1) {
    const byte = bytes[at];
    if (byte === undefined) throw new Error('a number that is cut short');
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, next: at + 1 };
    scale *= 128;
  }
}

function nothing(): Found {
  return {
    exists: false,
    snapshot: undefined,
    parked: 0,
    deadLetters: [],
    generations: new Map(),
    garbage: new Set(),
    kinds: new Set(),
  };
}
