import type { FileSystem } from '../../../ports/file-system.ts';
import type { Continuation } from '../continuation.ts';
import { isMissing } from './archive-place.ts';

/**
 * What the file that names an archive says, as JSON: what has to be known of its queue to replay it where Redis knows
 * nothing of it any more.
 */
export interface ArchiveNote {
  readonly shards: number;
  /** Undefined where the queue was the first one. */
  readonly continues: Continuation | undefined;
}

/** What stands at the path; undefined where nothing does, or nothing whole: then nothing was archived under it. */
export async function readNote(fileSystem: FileSystem, path: string): Promise<ArchiveNote | undefined> {
  try {
    await using file = await fileSystem.open(path, 'read');
    const bytes = Buffer.alloc(await file.size());
    await file.read(bytes, 0);
    return decodeNote(bytes.toString('utf8'));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Writes the note durably, over one that is not whole as well. All that write one of an archive write the same. */
export async function writeNote(fileSystem: FileSystem, path: string, note: ArchiveNote): Promise<void> {
  await using file = await fileSystem.open(path, 'keep');
  const { shards, continues } = note;
  await file.write(Buffer.from(`${JSON.stringify({ shards, continues })}\n`), 0);
  await file.datasync();
}

function decodeNote(text: string): ArchiveNote | undefined {
  let note: Partial<ArchiveNote> | null;
  try {
    note = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const { shards, continues } = note ?? {};
  return isCount(shards) && (continues === undefined || isContinuation(continues)) ? { shards, continues } : undefined;
}

function isContinuation({ id, ends }: Partial<Continuation>): boolean {
  return typeof id === 'string' && Array.isArray(ends) && ends.every((end) => Number.isSafeInteger(end));
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}
