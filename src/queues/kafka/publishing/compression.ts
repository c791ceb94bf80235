import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { PersistenceError } from '../../../domain/errors.ts';
import type { BatchCodec } from './record-batch.ts';

/** How record batches may be compressed. */
export const compressions = ['none', 'gzip', 'zstd'] as const;
export type Compression = (typeof compressions)[number];

type Compress = (input: Buffer, done: (error: Error | null, output: Buffer) => void) => void;

/**
 * What compresses batches so, undefined where nothing does. Throws `INVALID_CONFIGURATION` for zstd where Node.js does
 * not have it (before 22.15).
 */
export function codecOf(compression: Compression): BatchCodec | undefined {
  if (compression === 'none') return undefined;
  if (compression === 'gzip') return { id: 1, compress: promisify(zlib.gzip) };
  const compress: unknown = Reflect.get(zlib, 'zstdCompress');
  if (typeof compress !== 'function') {
    throw new PersistenceError(
      'INVALID_CONFIGURATION',
      'this Node.js does not have Zstandard, 22.15 and newer ones do: set kafka.compression to gzip',
    );
  }
  return { id: 4, compress: promisify(compress as Compress) };
}
