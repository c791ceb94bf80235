import { prettyJson } from '../../domain/documents/pretty-json.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import type { SharedFileSystem } from '../../ports/file-system.ts';
import type { Dirty } from './dirty.ts';
import type { FileEffect } from './effects.ts';
import { inParallel } from './in-parallel.ts';
import type { OpenLogs } from './open-logs.ts';
import { type Places, sessionFiles } from './places.ts';
import type { SetAside } from './set-aside.ts';

/** Sessions that are written at the same time: twice the threads that do it. */
const sessionsAtOnce = 8;

/** Everything that files are written with. */
export interface Workplace {
  readonly files: SharedFileSystem;
  readonly places: Places;
  readonly logs: OpenLogs;
  readonly setAside: SetAside;
}

/**
 * Does what a commit does to files, none of it synced, and notes in `dirty` what has to be. First everything that needs
 * room is written: appended, or put beside its place. Only then anything is replaced or removed, so that a full disk
 * leaves every file with what it had. Done again after an interruption, it leaves the same.
 */
export async function applyEffects(workplace: Workplace, effects: readonly FileEffect[], dirty: Dirty): Promise<void> {
  const sessions = bySession(effects);
  await inParallel(sessions, sessionsAtOnce, async (ofOne) => {
    for (const effect of ofOne) await write(workplace, effect, dirty);
  });
  const replacing = sessions.filter((ofOne) => ofOne.some(({ kind }) => kind !== 'append' && kind !== 'make'));
  await inParallel(replacing, sessionsAtOnce, async (ofOne) => {
    for (const effect of ofOne) await replace(workplace, effect, dirty);
  });
  await workplace.logs.trim();
}

/** What needs room. */
async function write({ files, places, logs }: Workplace, effect: FileEffect, dirty: Dirty): Promise<void> {
  const { session } = effect;
  switch (effect.kind) {
    case 'make':
      await files.makeShared(places.session(session));
      return dirty.list();
    case 'append': {
      const log = await logs.get(session);
      await log.write(effect.bytes, effect.offset);
      dirty.file(session, 'log');
      if (effect.offset === 0) dirty.folder(session);
      return;
    }
    case 'write': {
      const bytes = effect.form === 'pretty' ? (prettyJson(effect.bytes) ?? effect.bytes) : effect.bytes;
      await using draft = await files.openShared(places.draft(session, effect.file), 'create');
      await draft.write(bytes, 0);
      return;
    }
  }
}

/** What changes or takes what was there. */
async function replace(workplace: Workplace, effect: FileEffect, dirty: Dirty): Promise<void> {
  const { files, places, logs, setAside } = workplace;
  const { session } = effect;
  switch (effect.kind) {
    case 'write': {
      const { file } = effect;
      if (file === 'log') await logs.forget(session);
      await setAside.keep(session, file);
      await files.rename(places.draft(session, file), places.file(session, file));
      dirty.file(session, file);
      return dirty.folder(session);
    }
    case 'remove':
      if (effect.file === 'log') await logs.forget(session);
      await setAside.keep(session, effect.file);
      await files.removeAll(places.file(session, effect.file));
      return dirty.folder(session);
    case 'delete':
      await logs.forget(session);
      for (const file of sessionFiles) await setAside.keep(session, file);
      await files.removeAll(places.session(session));
      return dirty.list();
  }
}

/** The effects of each session, in their order. */
function bySession(effects: readonly FileEffect[]): readonly (readonly FileEffect[])[] {
  const sessions: FileEffect[][] = [];
  let last: SessionId | undefined;
  for (const effect of effects) {
    if (effect.session === last) sessions.at(-1)?.push(effect);
    else sessions.push([effect]);
    last = effect.session;
  }
  return sessions;
}
