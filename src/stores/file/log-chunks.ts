import type { SessionId } from '../../domain/identifiers.ts';
import type { Database, DatabaseSnapshot } from '../../level/database.ts';
import type { OrdinalRange } from '../../ports/log-range.ts';
import { chunkKey, decodeChunk, type LogChunk } from './log-index.ts';

const chunksAtOnce = 100;

/** One session's log, of one generation, as of one moment. */
export interface IndexedLog {
  readonly session: SessionId;
  readonly generation: number;
  readonly snapshot?: DatabaseSnapshot | undefined;
}

/** The chunks that hold the entries of the range, in order. */
export async function* readChunks(
  database: Database,
  { session, generation, snapshot }: IndexedLog,
  { from, to }: OrdinalRange,
): AsyncGenerator<LogChunk> {
  const options = snapshot === undefined ? {} : { snapshot };
  const upTo = { gte: chunkKey(session, generation, 0), lte: chunkKey(session, generation, from) };
  const [first] = await database.keys({ ...options, ...upTo, reverse: true, limit: 1 }).all();
  if (first === undefined) return;
  const range = { gte: first, lt: chunkKey(session, generation, to) };
  const iterator = database.iterator({ ...options, ...range });
  try {
    for (;;) {
      const found = await iterator.nextv(chunksAtOnce);
      if (found.length === 0) return;
      for (const [key, value] of found) yield decodeChunk(key, value);
    }
  } finally {
    await iterator.close();
  }
}

/** The last chunk of a log that is not empty. */
export async function lastChunk(database: Database, log: IndexedLog, entries: number): Promise<LogChunk | undefined> {
  for await (const chunk of readChunks(database, log, { from: entries, to: entries })) return chunk;
  return undefined;
}
