import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from 'vitest';
import { freshDirectory } from './program.ts';

const source = fileURLToPath(new URL('../crash/held-disk.c', import.meta.url));

/** Compiles the library that makes a disk hang or full, into a directory of the test's own; returns its path. */
export function compileHeldDisk(directory: string): string {
  const library = join(directory, 'held-disk.so');
  execFileSync('cc', ['-std=gnu11', '-O2', '-Wall', '-Werror', '-fPIC', '-shared', '-o', library, source, '-ldl']);
  return library;
}

/** What lies below a directory, as one process sees it: on a disk that can be held up. */
export class HeldDisk {
  /** Variables that the process needs. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #switchFile: string;

  /** `below`: the directory. Beside it a file is made and removed. */
  constructor(library: string, below: string) {
    this.#switchFile = `${below}.switch`;
    this.environment = {
      LD_PRELOAD: library,
      HELD_DIRECTORY: below,
      HELD_SWITCH: this.#switchFile,
      UV_USE_IO_URING: '0',
    };
  }

  /** From now on what is written there does not return, or finds no room. */
  hold(how: 'hang' | 'full'): void {
    writeFileSync(this.#switchFile, how);
  }

  free(): void {
    rmSync(this.#switchFile);
  }
}

/** A directory of a test file's own, in which any other can be held up. */
export interface HeldDisks {
  readonly directory: string;
  /** `below`: a path in it. */
  disk(...below: readonly string[]): HeldDisk;
}

/** Makes them before the file's tests, and removes the directory after them. */
export function useHeldDisks(): HeldDisks {
  let directory = '';
  let library = '';
  beforeAll(() => {
    directory = freshDirectory();
    library = compileHeldDisk(directory);
  });
  afterAll(() => rmSync(directory, { recursive: true }));
  return {
    get directory() {
      return directory;
    },
    disk: (...below) => new HeldDisk(library, join(directory, ...below)),
  };
}
