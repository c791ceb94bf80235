import { readLog } from '../../src/conformance/store-contents.ts';
import { canonicalJson } from '../../src/domain/documents/canonical.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import type { Store } from '../../src/ports/store.ts';

/** Every session that a store of ours lists, one line each, as upstream's code dumps the sessions that it lists. */
export async function dumpOurs(store: Store): Promise<readonly string[]> {
  const lines: string[] = [];
  for (let after: SessionId | undefined; ; ) {
    const page = await store.listSessions({ after, limit: 300 });
    for (const session of page) lines.push(await line(store, session));
    after = page.at(-1);
    if (after === undefined) return lines;
  }
}

async function line(store: Store, session: SessionId): Promise<string> {
  await using view = await store.openSession(session);
  if (view === undefined) throw new Error(`listed, but not there: ${session}`);
  const opaque = (bytes: Uint8Array | undefined): string => (bytes === undefined ? 'null' : `[${bytes.join(',')}]`);
  const entries = (await readLog(view)).map((entry) => canonicalJson(entry));
  const snapshot = await view.snapshot();
  return (
    `{"anchor":${opaque(await view.anchor())},"listed":true,"log":[${entries.join(',')}],` +
    `"receipt":${opaque(await view.receipt())},` +
    `"session":${snapshot === undefined ? 'null' : canonicalJson(snapshot, 'seen_message_ids')},` +
    `"session_id":${JSON.stringify(session)}}`
  );
}
