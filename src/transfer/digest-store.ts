import type { Digest } from '../domain/digest.ts';
import type { CopySource } from '../ports/copy-source.ts';
import { digestSession } from './session-digest.ts';
import { digestWithoutSession, StoreDigest } from './store-digest.ts';

/** All that a store holds, in one digest. */
export interface DigestedStore {
  readonly sessions: number;
  /** See `store-digest.ts`. */
  readonly digest: Digest;
}

/** Reads the whole store, and gives its digest. Throws `VIEW_EXPIRED` where it is changed meanwhile. */
export async function digestStore(source: CopySource, onSession: (sessions: number) => void): Promise<DigestedStore> {
  const whole = new StoreDigest();
  let sessions = 0;
  for await (const session of source.sessions()) {
    await using read = await source.open(session);
    if (read === undefined) continue;
    whole.addSession(await digestSession(read));
    sessions += 1;
    onSession(sessions);
  }
  return { sessions, digest: whole.finish(await digestWithoutSession(source)) };
}
