import { prettyJson } from '../../domain/documents/pretty-json.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import type { SharedFileSystem } from '../../ports/file-system.ts';
import type { FileEffect } from './effects.ts';
import { inParallel } from './in-parallel.ts';
import type { OpenLogs } from './open-logs.ts';
import { type Places, sessionFiles } from './places.ts';
import type { SetAside } from './set-aside.ts';

/** Sessions that are written at the same time: commits need the few threads that do it as well. */
const sessionsAtOnce = 2;

/** Everything that files are written with. */
export interface Workplace {
  readonly files: SharedFileSystem;
  readonly places: Places;
  readonly logs: OpenLogs;
  readonly setAside: SetAside;
}

/**
 * Does what one commit does to files, or several that only {@link grow} them, none of it synced. First everything that
 * needs room is written: appended, or put beside its place. Only then anything is replaced or removed, so that a full
 * disk leaves every file with what it had. Done again after an interruption, it leaves the same.
 */
export async function applyEffects(workplace: Workplace, effects: readonly FileEffect[]): Promise<void> {
  const sessions = bySession(effects);
  await inParallel(sessions, sessionsAtOnce, async (ofOne) => {
    for (const effect of ofOne) await write(workplace, effect);
  });
  const replacing = sessions.filter((ofOne) => !grow(ofOne));
  await inParallel(replacing, sessionsAtOnce, async (ofOne) => {
    for (const effect of ofOne) await replace(workplace, effect);
  });
}

/** True when nothing that is there is replaced or removed. */
export function grow(effects: readonly FileEffect[]): boolean {
  return effects.every(({ kind }) => kind === 'append' || kind === 'make');
}

/** What needs room. */
async function write({ files, places, logs }: Workplace, effect: FileEffect): Promise<void> {
  const { session } = effect;
  switch (effect.kind) {
    case 'make':
      return files.makeShared(places.session(session));
    case 'append':
      return logs.write(session, effect.bytes, effect.offset);
    case 'write': {
      const bytes = effect.form === 'pretty' ? (prettyJson(effect.bytes) ?? effect.bytes) : effect.bytes;
      await using draft = await files.openShared(places.draft(session, effect.file), 'create');
      await draft.write(bytes, 0);
      return;
    }
  }
}

/** What changes or takes what was there. */
async function replace({ files, places, logs, setAside }: Workplace, effect: FileEffect): Promise<void> {
  const { session } = effect;
  switch (effect.kind) {
    case 'write': {
      const { file } = effect;
      if (file === 'log') await logs.forget(session);
      await setAside.keep(session, file);
      return files.rename(places.draft(session, file), places.file(session, file));
    }
    case 'remove':
      if (effect.file === 'log') await logs.forget(session);
      await setAside.keep(session, effect.file);
      return files.removeAll(places.file(session, effect.file));
    case 'delete':
      await logs.forget(session);
      for (const file of sessionFiles) await setAside.keep(session, file);
      return files.removeAll(places.session(session));
  }
}

/** The effects of each session, in their order. */
function bySession(effects: readonly FileEffect[]): readonly (readonly FileEffect[])[] {
  const sessions = new Map<SessionId, FileEffect[]>();
  for (const effect of effects) {
    const ofOne = sessions.get(effect.session);
    if (ofOne === undefined) sessions.set(effect.session, [effect]);
    else ofOne.push(effect);
  }
  return [...sessions.values()].map(joinAppends);
}

/** What several commits append follows one another: it is one write. */
function joinAppends(effects: readonly FileEffect[]): readonly FileEffect[] {
  const appends = effects.filter((effect) => effect.kind === 'append');
  const [first, second] = appends;
  if (first === undefined || second === undefined) return effects;
  const others = effects.filter(({ kind }) => kind !== 'append');
  return [...others, { ...first, bytes: Buffer.concat(appends.map(({ bytes }) => bytes)) }];
}
