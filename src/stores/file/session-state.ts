import { readRecord } from '../../domain/encoding/byte-reader.ts';
import { ByteWriter } from '../../domain/encoding/byte-writer.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import { type Key, prefixedKey } from '../../embedded-store/record-keys.ts';

const kind = 0x6c;
const formatVersion = 1;

/** How a document lies in its file. */
export const forms = ['absent', 'pretty', 'verbatim'] as const;
export type Form = (typeof forms)[number];

/** What the store knows of a session's files besides what its cursor says. */
export interface SessionState {
  readonly hasLog: boolean;
  /** How many bytes the log file has. */
  readonly logBytes: number;
  /** `pretty`: laid out as macp-runtime does. `verbatim`: what could not be laid out and read back the same. */
  readonly snapshot: Form;
}

/** Of a session without files. */
export const noFiles: SessionState = Object.freeze({ hasLog: false, logBytes: 0, snapshot: 'absent' });

export function stateKey(session: SessionId): Key {
  return prefixedKey(kind, session, 0);
}

/** The session of a state's key. */
export function parseStateKey(key: Key): SessionId {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('utf8', 1) as SessionId;
}

/** The states of all sessions. */
export const stateRange = { gt: Buffer.of(kind), lt: Buffer.of(kind + 1) };

export function encodeState({ hasLog, logBytes, snapshot }: SessionState): Uint8Array {
  const out = new ByteWriter(12);
  out.byte(formatVersion);
  out.byte(hasLog ? 1 : 0);
  out.varint(logBytes);
  out.byte(forms.indexOf(snapshot));
  return out.finish();
}

/** What {@link encodeState} wrote. Throws `STORE_CORRUPT`. */
export function decodeState(bytes: Uint8Array): SessionState {
  return readRecord("state of a session's files", formatVersion, bytes, (reader) => {
    const hasLog = reader.byte() === 1;
    const logBytes = reader.varint();
    const snapshot = forms[reader.byte()];
    if (snapshot === undefined) throw new RangeError('an unknown form');
    return { hasLog, logBytes, snapshot };
  });
}
