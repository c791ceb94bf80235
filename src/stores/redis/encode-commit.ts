import { encodeCursor } from '../../domain/encoding/cursor.ts';
import { encodeFiled } from '../../domain/encoding/filed.ts';
import { encodeParkedCommand, encodeParkedHeader } from '../../domain/encoding/parked.ts';
import { encodeStoredPosition } from '../../domain/encoding/position.ts';
import type { DeadLetter, FiledRecord, PositionStep, Replacement, SessionChange } from '../../domain/plan.ts';
import type { Argument } from '../../redis/command.ts';
import { CommitInput } from './commit-input.ts';
import { type Bucket, filedName, type KeySpace, largeBytes, positionName } from './keys.ts';
import { addedTotals, deadLetterTotal } from './totals.ts';

/** What a plan does to one bucket. Positions and dead letters without a session belong to the home bucket only. */
export interface CommitPart {
  readonly bucket: Bucket;
  readonly changes: readonly SessionChange[];
  readonly unreadable: readonly DeadLetter[];
  readonly positions: readonly PositionStep[];
}

const nothing: Argument = '';

/** What all parts are encoded with. */
export interface Encoding {
  readonly keys: KeySpace;
  /** What the store calls itself, as it is stored. */
  readonly identity: string;
  /** For how many milliseconds a replaced log stays readable. */
  readonly viewLifetimeMs: number;
}

/** What the commit script is given to commit `part`; not finished yet. */
export function encodeCommit(part: CommitPart, encoding: Encoding): CommitInput {
  const { bucket, changes } = part;
  const input = encodeCheck(part, encoding);
  writeMembership(input, bucket, changes);
  for (const change of changes) {
    writeLog(input, bucket, change, encoding.viewLifetimeMs);
    writeReplacement(input, bucket.session(change.session), change.snapshot);
    writeReplacement(input, bucket.receipt(change.session), change.receipt);
    writeReplacement(input, bucket.anchor(change.session), change.anchor);
    writeParked(input, bucket, change);
  }
  writeFiled(input, part);
  for (const [name, added] of addedTotals(changes)) input.total(bucket.totals, name, added);
  return input;
}

/** What the commit script is given to compare; not finished yet. */
export function encodeCheck(part: CommitPart, { keys, identity }: Encoding): CommitInput {
  const input = new CommitInput();
  const { bucket, changes } = part;
  if (bucket === keys.home) input.identity(keys.identity, identity);
  input.positions(
    keys.positions,
    part.positions.map(({ source, partition, from, to }) => ({
      name: positionName(source, partition),
      before: from === undefined ? nothing : encodeStoredPosition(from),
      after: encodeStoredPosition(to),
    })),
  );
  input.cursors(
    bucket.cursors,
    changes.map(({ session, before, after }) => ({
      name: session,
      version: before?.version,
      after: encodeCursor(after),
    })),
  );
  return input;
}

/** The sets that sessions are listed from. */
function writeMembership(input: CommitInput, bucket: Bucket, changes: readonly SessionChange[]): void {
  const isKnown = (cursor: SessionChange['before']) => cursor?.presence === 'known';
  const unheardOf = changes.filter(({ before }) => before === undefined);
  if (unheardOf.length > 0) {
    const members = unheardOf.flatMap(({ session }) => ['0', session]);
    input.steps('ZADD', input.key(bucket.order, 'z'), members, 2);
  }
  const come = changes.filter(({ before, after }) => !isKnown(before) && isKnown(after));
  const gone = changes.filter(({ before, after }) => isKnown(before) && !isKnown(after));
  for (const [command, moved] of [['SADD', come] as const, ['SREM', gone] as const]) {
    if (moved.length === 0) continue;
    const members = moved.map(({ session }) => session);
    input.steps(command, input.key(bucket.sessions, 'e'), members);
  }
}

function writeLog(input: CommitInput, bucket: Bucket, change: SessionChange, viewLifetimeMs: number): void {
  const { session, before, after, log } = change;
  if (log === undefined || (!log.reset && log.entries.length === 0)) return;
  const key = input.newKey(bucket.log(session), '-');
  const entriesBefore = before?.entries ?? 0;
  input.log(key, entriesBefore, log.entries);
  if (log.reset) {
    if (before !== undefined && entriesBefore > 0) {
      const replaced = bucket.replacedLog(session, before.generation);
      const name = input.put([replaced, String(viewLifetimeMs)]);
      input.step('RENAME', key, name, name);
      input.step('PEXPIRE', input.newKey(replaced, 'l'), name + 1, name + 1);
    }
    input.steps('HSET', input.key(bucket.generations, 'h'), [session, String(after.generation)]);
  }
  if (log.entries.length === 0) return;
  const largest = log.entries.reduce((size, entry) => Math.max(size, entry.length), 0);
  if (largest > largeBytes) {
    input.steps('ZADD', input.key(bucket.largest, 'z'), ['GT', String(largest), session], 3);
  }
}

function writeReplacement(input: CommitInput, key: string, replacement: Replacement | undefined): void {
  if (replacement === undefined) return;
  const index = input.newKey(key, 's');
  if (replacement !== 'remove') input.steps('SET', index, [replacement]);
  // No argument: the range ends before it begins.
  else input.step('DEL', index, 1, 0);
}

function writeParked(input: CommitInput, bucket: Bucket, { session, parked, unparked }: SessionChange): void {
  if (parked.length + unparked.length === 0) return;
  const headers = input.newKey(bucket.parkedHeaders(session), 'h');
  const commands = input.newKey(bucket.parkedCommands(session), 'h');
  if (unparked.length > 0) {
    const sequences = unparked.map(String);
    for (const key of [headers, commands]) input.steps('HDEL', key, sequences);
  }
  if (parked.length === 0) return;
  input.steps(
    'HSET',
    headers,
    parked.flatMap((command) => [String(command.sequence), encodeParkedHeader(command)]),
    2,
  );
  input.steps(
    'HSET',
    commands,
    parked.flatMap((command) => [String(command.sequence), encodeParkedCommand(command)]),
    2,
  );
}

function writeFiled(input: CommitInput, { bucket, changes, unreadable }: CommitPart): void {
  const records: readonly FiledRecord[] = [...unreadable, ...changes.flatMap(({ filed }) => filed)];
  if (records.length === 0) return;
  const names = records.map(({ session, id }) => filedName(session, id));
  const first = input.args.length + 1;
  const pairs = records.flatMap((record, index) => [names[index] ?? nothing, encodeFiled(record)]);
  input.steps('HSET', input.key(bucket.filed, 'h'), pairs, 2);
  input.steps(
    'ZADD',
    input.key(bucket.filedOrder, 'z'),
    names.flatMap((name) => ['0', name]),
    2,
  );
  unreadable.forEach(({ reason }, index) => {
    input.unreadable(bucket.filed, first + 2 * index, bucket.totals, deadLetterTotal(reason));
  });
}
