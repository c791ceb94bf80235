import { commandId, type NumberedCommand } from '../../src/domain/command.ts';
import type { Epoch, Sequence, SessionId, Writer } from '../../src/domain/identifiers.ts';
import { seededRandom } from './random.ts';

/** The mean size of the recorded log entries, in bytes. */
const entryBytes = 841;

const writer = '//bench/writer' as Writer;
const epoch = 1 as Epoch;

/** `count` session ids that look like upstream's: lower-case hyphenated UUIDs. */
export function sessionIds(count: number): readonly SessionId[] {
  const random = seededRandom(7);
  const hex = (digits: number) => Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');
  return Array.from({ length: count }, () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}` as SessionId);
}

/**
 * Log entries as the runtime writes them, each of exactly {@link entryBytes} bytes: random payload bytes as a number
 * array, which is most of a real entry and about as compressible. A pool of them, because a million different ones
 * would measure the generator.
 */
export function entryPool(count: number): readonly Uint8Array[] {
  const random = seededRandom(11);
  return Array.from({ length: count }, (_, index) => Buffer.from(entryText(random, index), 'utf8'));
}

function entryText(random: () => number, index: number): string {
  const text = (payload: readonly number[], sender: string) =>
    `{"message_id":"${String(index).padStart(36, 'm')}","received_at_ms":1795486749294,"sender":"${sender}",` +
    `"message_type":"Contribute","raw_payload":[${payload.join(',')}],"entry_kind":"Incoming",` +
    '"session_id":"64344ad1-8bf0-4d52-9b5f-21e07da2c3d2","mode":"ext.multi_round.v1","macp_version":"1.0",' +
    '"timestamp_unix_ms":1795486749268}';
  const payload: number[] = [];
  while (text(payload, 'agent://lead').length < entryBytes - 4) payload.push(Math.floor(random() * 256));
  const missing = entryBytes - text(payload, 'agent://lead').length;
  return text(payload, `agent://lead${'x'.repeat(missing)}`);
}

/** `count` appends that go round and round over the sessions, each numbered within its session. */
export function* interleavedAppends(sessions: readonly SessionId[], count: number): Generator<NumberedCommand> {
  const entries = entryPool(4096);
  for (let index = 0; index < count; index += 1) {
    const session = sessions[index % sessions.length];
    const data = entries[index % entries.length];
    if (session === undefined || data === undefined) return;
    const sequence = (Math.floor(index / sessions.length) + 1) as Sequence;
    yield {
      kind: 'numbered',
      type: 'macp.log.append.v1',
      session,
      writer,
      epoch,
      sequence,
      id: commandId(session, epoch, sequence),
      data,
    };
  }
}

/** The same entries under keys of session and ordinal, as a loop without commands would store them. */
export function* keyedEntries(
  ids: readonly SessionId[],
  count: number,
): Generator<readonly [key: Uint8Array, value: Uint8Array]> {
  const entries = entryPool(4096);
  const prefixes = ids.map((id) => Buffer.concat([Buffer.from(id, 'utf8'), Buffer.from([0])]));
  for (let index = 0; index < count; index += 1) {
    const prefix = prefixes[index % prefixes.length];
    const entry = entries[index % entries.length];
    if (prefix === undefined || entry === undefined) return;
    const key = Buffer.allocUnsafe(prefix.length + 4);
    key.set(prefix);
    key.writeUInt32BE(Math.floor(index / prefixes.length), prefix.length);
    yield [key, entry];
  }
}
