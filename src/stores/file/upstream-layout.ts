import { join } from 'node:path';
import { PersistenceError } from '../../domain/errors.ts';
import type { SharedFileSystem } from '../../ports/file-system.ts';
import type { Places } from './places.ts';

/** The only layout that macp-runtime 0.4.0 to 0.13.0 write. */
const version = 3;
/** What macp-runtime 0.4.0 and 0.13.0 write there. */
const layoutRecord = Buffer.from(`{\n  "version": ${version}\n}`, 'utf8');
/** Of the layout before: macp-runtime turns them into folders when it starts. */
export const earlierFiles = ['sessions.json', 'logs.json'];

/**
 * Throws `NOT_SUPPORTED` for what an older macp-runtime left and a newer one has yet to move, `STORE_TOO_NEW` for a layout
 * that nobody knows here.
 */
export async function checkLayout(files: SharedFileSystem, { directory, layout }: Places): Promise<void> {
  const found = await readVersion(files, layout);
  if (found !== undefined && found > version) {
    throw new PersistenceError('STORE_TOO_NEW', `${layout} tells of layout ${found}; this release knows ${version}`);
  }
  const earlier: string[] = [];
  for (const name of earlierFiles) if ((await files.status(join(directory, name))) !== undefined) earlier.push(name);
  if (earlier.length === 0 && (found === undefined || found === version)) return;
  const what = earlier.length > 0 ? `holds ${earlier.join(' and ')}` : `tells of layout ${found}`;
  throw new PersistenceError(
    'NOT_SUPPORTED',
    `${directory} ${what}, as older releases of macp-runtime wrote them: start macp-runtime there once, which moves them, or copy them with import file:${directory} --to`,
  );
}

/** Writes what says to macp-runtime that this is its layout, unless it is there: whole, because it starts on no other. */
export async function writeLayoutRecord(files: SharedFileSystem, { layout, own }: Places): Promise<void> {
  if ((await files.status(layout)) !== undefined) return;
  const draft = join(own, 'layout-draft');
  {
    await using file = await files.openShared(draft, 'create');
    await file.write(layoutRecord, 0);
    await file.datasync();
  }
  await files.rename(draft, layout);
}

async function readVersion(files: SharedFileSystem, path: string): Promise<number | undefined> {
  if ((await files.status(path)) === undefined) return undefined;
  await using file = await files.open(path, 'read');
  const bytes = Buffer.alloc(1_024);
  const text = bytes.subarray(0, await file.read(bytes, 0)).toString('utf8');
  try {
    const found: unknown = JSON.parse(text)?.version;
    if (Number.isSafeInteger(found)) return found as number;
  } catch {
    // Told below.
  }
  throw new PersistenceError('STORE_CORRUPT', `${path} cannot be read: macp-runtime would not start on it either`);
}
