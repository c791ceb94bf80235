import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { initialCursor } from '../../src/domain/cursor.ts';
import { encodeCursor } from '../../src/domain/encoding/cursor.ts';
import { cursorKey } from '../../src/embedded-store/record-keys.ts';
import { EntryKeys } from '../../src/stores/level/keys.ts';
import type { Corruptible, CorruptionHarness } from './corruption-laws.ts';

/** Two directories for stores of the kind `kind`, one of which `corruptible` reaches into. */
export function corruptibleDirectories(
  kind: string,
  corruptible: (directory: string) => Omit<Corruptible, 'url'>,
): CorruptionHarness {
  return {
    async create() {
      const parent = await mkdtemp(join(tmpdir(), 'macp-persist-corrupted-'));
      const directory = join(parent, 'corrupted');
      return {
        intact: `${kind}:${join(parent, 'intact')}`,
        corrupted: { url: `${kind}:${directory}`, ...corruptible(directory) },
        dispose: () => rm(parent, { recursive: true }),
      };
    },
  };
}

/** Opens the LevelDB of a store that nobody has open, as something else would. */
export async function changeLevel(
  directory: string,
  work: (database: ClassicLevel<Uint8Array, Uint8Array>) => Promise<void>,
): Promise<void> {
  const database = new ClassicLevel<Uint8Array, Uint8Array>(directory, { keyEncoding: 'view', valueEncoding: 'view' });
  try {
    await database.open();
    await work(database);
  } finally {
    await database.close();
  }
}

export const corruptibleLevel = corruptibleDirectories('level', (directory) => {
  const change = (work: Parameters<typeof changeLevel>[1]): Promise<void> => changeLevel(directory, work);
  return {
    setEntry: (session, ordinal, entry) =>
      change((database) => database.put(new EntryKeys(session, 0).at(ordinal), entry)),
    removeEntry: (session, ordinal) => change((database) => database.del(new EntryKeys(session, 0).at(ordinal))),
    addSession: (session, entry) =>
      change(async (database) => {
        await database.put(cursorKey(session), encodeCursor({ ...initialCursor, presence: 'known', entries: 1 }));
        await database.put(new EntryKeys(session, 0).at(0), entry);
      }),
  };
});

export const corruptibleFiles = corruptibleDirectories('file', (directory) => {
  const log = (session: string): string => join(directory, 'sessions', session, 'log.jsonl');
  const change = async (session: string, work: (lines: string[]) => void): Promise<void> => {
    const lines = (await readFile(log(session), 'utf8')).trimEnd().split('\n');
    work(lines);
    await writeFile(log(session), lines.map((line) => `${line}\n`).join(''));
  };
  return {
    setEntry: (session, ordinal, entry) =>
      change(session, (lines) => void lines.splice(ordinal, 1, Buffer.from(entry).toString())),
    removeEntry: (session, ordinal) => change(session, (lines) => void lines.splice(ordinal, 1)),
    async addSession(session, entry) {
      await mkdir(join(directory, 'sessions', session));
      await writeFile(log(session), Buffer.concat([entry, Buffer.from('\n')]));
    },
  };
});
