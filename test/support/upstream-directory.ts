import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export interface UpstreamDirectory {
  /** Small sessions, each with a few log entries. */
  readonly sessions: number;
  /** Bytes of the log of one session more, `large`; 0: there is none. */
  readonly largeBytes: number;
}

/** Makes a data directory as macp-runtime would have written it. */
export function makeUpstreamDirectory(directory: string, { sessions, largeBytes }: UpstreamDirectory): void {
  for (let index = 0; index < sessions; index += 1) {
    const session = `session-${String(index).padStart(6, '0')}`;
    const lines = Array.from({ length: 1 + (index % 5) }, (_, at) => `${entry(`${session} ${at}`, 200)}\n`);
    place(directory, session, 'log.jsonl', lines.join(''));
    if (index % 7 === 0) place(directory, session, 'receipt.json', `{"receipt":${index}}`);
    if (index % 11 === 0) place(directory, session, 'anchor.json', Buffer.from([index % 256, 0, 255]));
  }
  if (largeBytes > 0) placeLarge(directory, largeBytes);
}

function placeLarge(directory: string, bytes: number): void {
  place(directory, 'large', 'receipt.json', '{"large":true}');
  const file = openSync(join(directory, 'sessions/large/log.jsonl'), 'w');
  for (let written = 0; written < bytes; ) written += writeSync(file, `${entry(`large ${written}`, 2_000)}\n`);
  closeSync(file);
}

function place(directory: string, session: string, name: string, content: string | Uint8Array): void {
  const folder = join(directory, 'sessions', session);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), content);
}

function entry(id: string, payloadBytes: number): string {
  const payload = Array.from({ length: payloadBytes }, (_, index) => (index * 37 + id.length) % 256);
  const required = { received_at_ms: 1, sender: 's', message_type: 'Message', raw_payload: payload };
  return JSON.stringify({ message_id: id, ...required, entry_kind: 'Incoming' });
}
