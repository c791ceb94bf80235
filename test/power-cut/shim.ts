import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const source = fileURLToPath(new URL('./shim.c', import.meta.url));
const cache = fileURLToPath(new URL('../../node_modules/.cache/power-cut/', import.meta.url));

/** What an effect has to be for a fault to hit it: writes, syncs, creations, other metadata (rename, unlink, truncate). */
export type EffectKinds = 'w' | 's' | 'c' | 'm' | 'wc' | 'wsc' | 'wscm';

/**
 * Of the effects `from` to `until` the first `times` of the given kinds fail with `error`; with `short`, a write at
 * `from` succeeds with half of its bytes instead.
 */
export interface Fault {
  readonly from: number;
  readonly until: number;
  readonly error: keyof typeof errorNumbers;
  readonly kinds: EffectKinds;
  readonly short: boolean;
  readonly times: number;
}

/** What the preload library (shim.c) is told. All paths are absolute and free of links. */
export interface ShimOptions {
  /** Only effects below it are seen. */
  readonly directory: string;
  readonly journal?: string;
  readonly control?: string;
  /** The process ends by SIGKILL instead of this effect; `tear` bytes of it still happen if it is a write. */
  readonly killAt?: number;
  readonly tear?: number;
  readonly fault?: Fault;
  /** Syncs of paths below the directory that match this pattern (as in a shell) do nothing: the mutant that does not sync. */
  readonly ignoreSync?: string;
  readonly syncMicroseconds?: number;
}

const errorNumbers = { EIO: 5, ENOSPC: 28 } as const;

/** The text of a fault in the shim's own form. */
export function faultText(fault: Fault): string {
  return `${fault.from} ${fault.until} ${errorNumbers[fault.error]} ${fault.kinds} ${fault.short ? 1 : 0} ${fault.times}`;
}

/**
 * Compiles the preload library once per version of its source, and returns its path. Fails where there is no C
 * compiler: without one, nothing here can be shown.
 */
export async function compileShim(): Promise<string> {
  if (process.platform !== 'linux') throw new Error('the power-cut tests interpose glibc and need Linux');
  const version = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  const library = join(cache, `shim-${version}.so`);
  if (statSync(library, { throwIfNoEntry: false }) !== undefined) return library;
  mkdirSync(cache, { recursive: true });
  const draft = join(cache, `shim-${version}-${process.pid}.so`);
  const flags = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', '-fPIC', '-shared'];
  try {
    await run('cc', [...flags, '-o', draft, source, '-ldl', '-lpthread']);
  } catch (cause) {
    throw new Error('the power-cut tests need a C compiler (cc): install gcc and libc6-dev', { cause });
  }
  renameSync(draft, library);
  return library;
}

/** The environment in which a process runs under the shim. */
export function shimEnvironment(library: string, options: ShimOptions): Record<string, string> {
  const set: Record<string, string | number | undefined> = {
    LD_PRELOAD: library,
    UV_USE_IO_URING: 0,
    SHIM_DIRECTORY: options.directory,
    SHIM_JOURNAL: options.journal,
    SHIM_CONTROL: options.control,
    SHIM_KILL_AT: options.killAt,
    SHIM_TEAR: options.tear,
    SHIM_FAIL: options.fault === undefined ? undefined : faultText(options.fault),
    SHIM_IGNORE_SYNC: options.ignoreSync,
    SHIM_SYNC_MICROSECONDS: options.syncMicroseconds,
  };
  return Object.fromEntries(
    Object.entries(set).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}
