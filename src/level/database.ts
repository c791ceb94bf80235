import { ClassicLevel } from 'classic-level';

/** A LevelDB of keys and values that are bytes. */
export type Database = ClassicLevel<Uint8Array, Uint8Array>;
export type DatabaseSnapshot = ReturnType<Database['snapshot']>;

/** How a database is opened; sizes in bytes. */
export interface Tuning {
  readonly writeBufferSize: number;
  readonly maxFileSize: number;
  readonly cacheSize: number;
  readonly blockSize: number;
  readonly compression: boolean;
  readonly maxOpenFiles?: number;
}

/** Opens the database in `directory`, which exists. Rejects with what the library threw. */
export type OpenDatabase = (directory: string) => Promise<Database>;

export async function openTuned(directory: string, tuning: Tuning): Promise<Database> {
  const database: Database = new ClassicLevel(directory, { keyEncoding: 'view', valueEncoding: 'view', ...tuning });
  await database.open();
  return database;
}
