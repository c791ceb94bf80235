import { createReadStream } from 'node:fs';
import { type FileHandle, mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { PersistenceError } from '../domain/errors.ts';

/** An input that can be read from its start as often as wanted. */
export interface Input extends AsyncDisposable {
  read(): AsyncIterable<Uint8Array>;
}

/**
 * The file at `path`, or what `standardInput` brings where `path` is `-`. What can be read only once (standard input, a
 * pipe) is kept in a temporary file until the input is closed. Throws `INVALID_INPUT` when it cannot be read, `DISK_FULL`
 * when there is no room for that file.
 */
export async function openInput(path: string, standardInput: Readable, interruption: AbortSignal): Promise<Input> {
  try {
    if (path === '-') return await spooled(standardInput, interruption);
    const found = await stat(path);
    if (found.isDirectory())
      throw new PersistenceError('INVALID_INPUT', `${path} is a directory, not a file of events`);
    if (!found.isFile()) return await spooled(createReadStream(path), interruption);
    const handle = await open(path, 'r');
    return { read: () => readFrom(handle), [Symbol.asyncDispose]: () => handle.close() };
  } catch (cause) {
    if (cause instanceof PersistenceError) throw cause;
    if (interruption.aborted) throw new PersistenceError('ABORTED', 'interrupted before anything was sent', { cause });
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC') {
      const message = `there is no room in ${tmpdir()} for what is read before anything is sent: name another with TMPDIR`;
      throw new PersistenceError('DISK_FULL', message, { cause });
    }
    throw new PersistenceError('INVALID_INPUT', `${path === '-' ? 'standard input' : path} cannot be read`, { cause });
  }
}

async function spooled(stream: Readable, interruption: AbortSignal): Promise<Input> {
  const directory = await mkdtemp(join(tmpdir(), 'macp-persist-'));
  let handle: FileHandle;
  try {
    handle = await open(join(directory, 'input'), 'w+', 0o600);
  } finally {
    // Removed while it is open, so that nothing of it is left behind, however this process ends.
    await rm(directory, { recursive: true });
  }
  try {
    for await (const chunk of addAbortSignal(interruption, stream)) await handle.writeFile(chunk);
  } catch (error) {
    await handle.close();
    throw error;
  }
  return { read: () => readFrom(handle), [Symbol.asyncDispose]: () => handle.close() };
}

const chunkBytes = 256 * 1024;

async function* readFrom(handle: FileHandle): AsyncGenerator<Uint8Array> {
  for (let position = 0; ; ) {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    const { bytesRead } = await handle.read(chunk, 0, chunkBytes, position);
    if (bytesRead === 0) return;
    yield chunk.subarray(0, bytesRead);
    position += bytesRead;
  }
}
