import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { best, type ContestResult, ratesOf } from './contest.ts';

/** The options of classic-level that a bare loop is run with. */
export interface BareOptions {
  readonly writeBufferSize: number;
  readonly compression: boolean;
}

const mebibyte = 1024 * 1024;

/** Options that a bare loop can be given; the best one counts. */
export const bareOptions: Readonly<Record<string, BareOptions>> = {
  'bare, 64 MiB write buffer': { writeBufferSize: 64 * mebibyte, compression: true },
  'bare, 64 MiB write buffer, no compression': { writeBufferSize: 64 * mebibyte, compression: false },
};

/** Of every round the better one of the bare loops. */
export function bareRates(result: ContestResult): readonly number[] {
  return best(Object.keys(bareOptions).map((name) => ratesOf(result, name)));
}

/** A directory of its own under `BENCH_DIRECTORY`, or the system's directory for temporary files. */
export function benchDirectory(name: string): Promise<string> {
  return mkdtemp(join(process.env['BENCH_DIRECTORY'] ?? tmpdir(), `macp-persist-bench-${name}-`));
}

export function removeDirectory(directory: string): Promise<void> {
  return rm(directory, { recursive: true, force: true });
}

/** What remains when everything but the writing is left out: synced chained batches of `size` puts each. */
export async function bareBatches(
  directory: string,
  options: BareOptions,
  records: Iterable<readonly [key: Uint8Array, value: Uint8Array]>,
  size: number,
): Promise<number> {
  const db = new ClassicLevel<Uint8Array, Uint8Array>(directory, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    ...options,
  });
  await db.open();
  let written = 0;
  let batch = db.batch();
  for (const [key, value] of records) {
    batch.put(key, value);
    written += 1;
    if (batch.length < size) continue;
    await batch.write({ sync: true });
    batch = db.batch();
  }
  if (batch.length > 0) await batch.write({ sync: true });
  else await batch.close();
  await db.close();
  return written;
}

/** Appends `size` values at a time to a file, with one fdatasync each time. */
export async function bareAppends(file: string, values: Iterable<Uint8Array>, size: number): Promise<number> {
  await using handle = await open(file, 'a');
  let written = 0;
  let group: Uint8Array[] = [];
  const flush = async () => {
    await handle.writev(group);
    await handle.datasync();
    group = [];
  };
  for (const value of values) {
    group.push(value);
    written += 1;
    if (group.length === size) await flush();
  }
  if (group.length > 0) await flush();
  return written;
}
