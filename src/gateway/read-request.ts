import type { SessionId } from '../domain/identifiers.ts';
import type { RedisArity, RedisRequest } from '../ports/redis-peer.ts';
import { type DocumentKind, type Key, type Keys, readMember, show } from './keys.ts';
import { type DeletionPart, type ExistingKey, type Operation, type Refused, refused } from './operations.ts';

type Arguments = readonly Uint8Array[];

/** A command that macp-runtime's Redis backend uses. */
interface Reader extends RedisArity {
  read(given: Arguments, keys: Keys): Operation | Refused;
}

const many = Number.POSITIVE_INFINITY;

/** Every command that is read here, by its name. */
export const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['SADD', { least: 2, most: 2, read: readAdd }],
  ['SREM', { least: 2, most: 2, read: readRemove }],
  ['SMEMBERS', { least: 1, most: 1, read: readMembers }],
  ['SET', { least: 2, most: 4, read: readSet }],
  ['SETNX', { least: 2, most: 2, read: readSetIfAbsent }],
  ['SETEX', { least: 3, most: 3, read: readSetExpiring }],
  ['GET', { least: 1, most: 1, read: readGet }],
  ['DEL', { least: 1, most: 4, read: readDelete }],
  ['RPUSH', { least: 2, most: many, read: readPush }],
  ['LRANGE', { least: 3, most: 3, read: readRange }],
  ['EXISTS', { least: 1, most: many, read: readExists }],
]);

/** What the request asks for. Refused: keys and options that macp-runtime has no use for. */
export function readRequest({ command, arguments: given }: RedisRequest, keys: Keys): Operation | Refused {
  return readers.get(command)?.read(given, keys) ?? refused(`unknown command ${command}`);
}

const none = new Uint8Array();
const indexKey = '{prefix}:sessions';
const documentKey = '{prefix}:session|log|receipt|anchor:{session}';

function readAdd(given: Arguments, keys: Keys): Operation | Refused {
  const session = readIndexMember('SADD', given, keys);
  return typeof session === 'string' ? { kind: 'create', session } : session;
}

function readRemove(given: Arguments, keys: Keys): Operation | Refused {
  const session = readIndexMember('SREM', given, keys);
  return typeof session === 'string' ? { kind: 'SREM', session } : session;
}

function readIndexMember(command: string, given: Arguments, keys: Keys): SessionId | Refused {
  const [bytes = none, member = none] = given;
  const key = keys.read(bytes);
  if (key.kind !== 'index') return wrongKey(command, bytes, key, indexKey);
  const session = readMember(member);
  return typeof session === 'string' ? session : refused(session.problem);
}

function readMembers([bytes = none]: Arguments, keys: Keys): Operation | Refused {
  const key = keys.read(bytes);
  return key.kind === 'index' ? { kind: 'list' } : wrongKey('SMEMBERS', bytes, key, indexKey);
}

function readSet([bytes = none, value = none, ...options]: Arguments, keys: Keys): Operation | Refused {
  const key = keys.read(bytes);
  const words = options.map((option) => textOf(option).toUpperCase());
  switch (key.kind) {
    case 'session':
      if (words.length > 0) break;
      return { kind: 'save', session: key.session, snapshot: value };
    case 'receipt':
      if (words.length !== 1 || words[0] !== 'NX')
        return refused('a receipt is stored once and never replaced: by SETNX, or SET with NX alone');
      return { kind: 'receipt', session: key.session, receipt: value, reply: 'OK or null' };
    case 'anchor':
      if (!isExpiryOrNothing(words)) break;
      return { kind: 'anchor', session: key.session, anchor: value };
    default:
      return wrongKey('SET', bytes, key, '{prefix}:session|receipt|anchor:{session}');
  }
  return refused(`SET ${show(bytes)} is not taken with ${show(Buffer.from(words.join(' ')))}`);
}

/** An anchor goes with its session, whenever that is: how long it was to last by itself has no effect. */
function isExpiryOrNothing([unit, time = '', ...more]: readonly string[]): boolean {
  return unit === undefined || ((unit === 'EX' || unit === 'PX') && isPositive(time) && more.length === 0);
}

function readSetIfAbsent([bytes = none, receipt = none]: Arguments, keys: Keys): Operation | Refused {
  const key = keys.read(bytes);
  if (key.kind !== 'receipt') return wrongKey('SETNX', bytes, key, '{prefix}:receipt:{session}');
  return { kind: 'receipt', session: key.session, receipt, reply: 'integer' };
}

function readSetExpiring([bytes = none, seconds = none, anchor = none]: Arguments, keys: Keys): Operation | Refused {
  const key = keys.read(bytes);
  if (key.kind !== 'anchor') return wrongKey('SETEX', bytes, key, '{prefix}:anchor:{session}');
  if (!isPositive(textOf(seconds))) return refused('invalid expire time in SETEX');
  return { kind: 'anchor', session: key.session, anchor };
}

function readGet([bytes = none]: Arguments, keys: Keys): Operation | Refused {
  const key = keys.read(bytes);
  if (key.kind === 'index' || key.kind === 'foreign' || key.kind === 'log')
    return wrongKey('GET', bytes, key, '{prefix}:session|receipt|anchor:{session}');
  return { kind: 'get', session: key.session, document: key.kind };
}

function readDelete(given: Arguments, keys: Keys): DeletionPart | Refused {
  const documents: DocumentKind[] = [];
  const sessions = new Set<SessionId>();
  for (const bytes of given) {
    const key = keys.read(bytes);
    if (key.kind === 'index' || key.kind === 'foreign') return wrongKey('DEL', bytes, key, documentKey);
    documents.push(key.kind);
    sessions.add(key.session);
  }
  const [session] = sessions;
  if (session === undefined || sessions.size > 1) return refused('DEL takes keys of one session at a time');
  if (new Set(documents).size < documents.length) return refused('DEL names a key twice');
  return { kind: 'DEL', session, documents };
}

function readPush([bytes = none, entry = none, ...more]: Arguments, keys: Keys): Operation | Refused {
  const key = keys.read(bytes);
  if (key.kind !== 'log') return wrongKey('RPUSH', bytes, key, '{prefix}:log:{session}');
  if (more.length > 0) return refused('RPUSH takes one log entry at a time, except between MULTI, DEL and EXEC');
  return { kind: 'append', session: key.session, entry };
}

function readRange([bytes = none, first = none, last = none]: Arguments, keys: Keys): Operation | Refused {
  const key = keys.read(bytes);
  if (key.kind !== 'log') return wrongKey('LRANGE', bytes, key, '{prefix}:log:{session}');
  const [start, stop] = [readInteger(first), readInteger(last)];
  if (start === undefined || stop === undefined) return refused('value is not an integer or out of range');
  return { kind: 'range', session: key.session, start, stop };
}

function readExists(given: Arguments, keys: Keys): Operation | Refused {
  const found: ExistingKey[] = [];
  for (const bytes of given) {
    const key = keys.read(bytes);
    if (key.kind === 'foreign') return wrongKey('EXISTS', bytes, key, documentKey);
    found.push(key);
  }
  return { kind: 'exists', keys: found };
}

function wrongKey(command: string, bytes: Uint8Array, key: Key, wanted: string): Refused {
  return refused(key.kind === 'foreign' ? key.problem : `${command} takes ${wanted}, not ${show(bytes)}`);
}

function readInteger(bytes: Uint8Array): bigint | undefined {
  const text = textOf(bytes);
  if (!/^(?:0|-?[1-9][0-9]{0,18})$/.test(text)) return undefined;
  const value = BigInt(text);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function isPositive(text: string): boolean {
  return /^[1-9][0-9]{0,15}$/.test(text);
}

/** Of a number or a word: what is longer than either is neither. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, 32)).toString('latin1');
}
