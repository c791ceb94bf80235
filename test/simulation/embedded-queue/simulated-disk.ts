import type { FileSystem, OpenFile, OpenMode } from '../../../src/ports/file-system.ts';
import { type Random, SimulatedDirectory, SimulatedFile } from './simulated-nodes.ts';

export type EffectKind = 'write' | 'datasync' | 'truncate' | 'create' | 'makeDirectory' | 'remove' | 'syncDirectory';

/** What goes wrong at an effect: the power, that effect alone, or every write from there on for a while. */
export type Fault =
  | { readonly kind: 'power cut'; readonly at: number }
  | { readonly kind: 'EIO'; readonly at: number }
  | { readonly kind: 'ENOSPC'; readonly at: number; readonly effects: number; readonly thenCutAt?: number };

/** What a broken file system leaves out, to show that the checks notice it. */
export type Omission = 'datasync' | 'syncDirectory';

/**
 * A file system in memory that tells what is durable from what is only in the page cache, counts every effect, and
 * lets one of them go wrong. A failed sync of a file drops what it should have written, as Linux does: the page cache
 * goes on showing it, later syncs succeed, and it never reaches the disk. It starts with an empty `/data`.
 */
export class SimulatedDisk implements FileSystem {
  readonly #root: SimulatedDirectory;
  readonly #random: Random;
  readonly #omission: Omission | undefined;
  #fault: Fault | undefined;
  #isOff = false;
  /** How many effects were asked for so far, by kind. */
  readonly effects: EffectKind[] = [];

  constructor(random: Random, omission?: Omission, root = directoryWith('data')) {
    this.#random = random;
    this.#omission = omission;
    this.#root = root;
  }

  breakAt(fault: Fault): void {
    this.#fault = fault;
  }

  /** The disk as the next process finds it: after a power cut without most of what was not synced. */
  restarted(afterPowerCut: boolean): SimulatedDisk {
    const root = afterPowerCut ? this.#root.afterPowerCut(this.#random) : this.#root;
    return new SimulatedDisk(this.#random, this.#omission, root);
  }

  async open(path: string, mode: OpenMode): Promise<OpenFile> {
    const { directory, name } = this.#parent(path);
    if (mode === 'create' || mode === 'new') this.#effect('create');
    const found = directory.entries.get(name);
    if (found === undefined && mode !== 'create' && mode !== 'new') throw failure('ENOENT');
    if (found !== undefined && mode === 'new') throw failure('EEXIST');
    if (found instanceof SimulatedDirectory) throw failure('EISDIR');
    const file = found ?? new SimulatedFile();
    if (found === undefined) directory.set(name, file);
    else if (mode === 'create') file.truncate(0);
    return this.#opened(file);
  }

  async list(path: string): Promise<readonly string[]> {
    return [...this.#directory(path).entries.keys()];
  }

  async makeDirectory(path: string): Promise<void> {
    let directory = this.#root;
    for (const name of namesOf(path)) {
      let next = directory.entries.get(name);
      if (next === undefined) {
        this.#effect('makeDirectory');
        next = new SimulatedDirectory();
        directory.set(name, next);
      }
      if (!(next instanceof SimulatedDirectory)) throw failure('ENOTDIR');
      directory = next;
    }
  }

  async remove(path: string): Promise<void> {
    const { directory, name } = this.#parent(path);
    this.#effect('remove');
    if (!directory.entries.has(name)) throw failure('ENOENT');
    directory.set(name, undefined);
  }

  async syncDirectory(path: string): Promise<void> {
    const directory = this.#directory(path);
    this.#effect('syncDirectory');
    if (this.#omission !== 'syncDirectory') directory.sync();
  }

  #opened(file: SimulatedFile): OpenFile {
    const close = async (): Promise<void> => undefined;
    return {
      read: async (target, position) => file.read(target, position),
      write: async (bytes, position) => {
        this.#effect('write', () => file.write(this.#part(bytes), position));
        file.write(Uint8Array.from(bytes), position);
      },
      datasync: async () => {
        this.#effect('datasync', () => file.drop());
        if (this.#omission !== 'datasync') file.sync();
      },
      truncate: async (length) => {
        this.#effect('truncate');
        file.truncate(length);
      },
      size: async () => file.size,
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  /** What a failing write wrote all the same: a part, or everything. */
  #part(bytes: Uint8Array): Uint8Array {
    return bytes.slice(0, this.#random(3) === 0 ? bytes.length : this.#random(bytes.length));
  }

  /** Counts an effect. Where it goes wrong, `part` is what happens of it. */
  #effect(kind: EffectKind, part?: () => void): void {
    this.effects.push(kind);
    if (this.#isOff) throw failure('EIO');
    const fault = this.#fault;
    const number = this.effects.length;
    if (fault === undefined || number < fault.at) return;
    const cutAt = fault.kind === 'power cut' ? fault.at : fault.kind === 'ENOSPC' ? fault.thenCutAt : undefined;
    if (cutAt !== undefined && number >= cutAt) {
      // A sync that the power cut interrupts may have written anything: that is decided after the cut.
      if (kind === 'write') part?.();
      this.#isOff = true;
      throw failure('EIO');
    }
    if (fault.kind === 'EIO' && number === fault.at) {
      part?.();
      throw failure('EIO');
    }
    const takesRoom = kind === 'write' || kind === 'create' || kind === 'makeDirectory';
    if (fault.kind === 'ENOSPC' && number < fault.at + fault.effects && takesRoom) {
      part?.();
      throw failure('ENOSPC');
    }
  }

  #parent(path: string): { directory: SimulatedDirectory; name: string } {
    const names = namesOf(path);
    const name = names.pop() ?? '';
    return { directory: this.#directory(`/${names.join('/')}`), name };
  }

  #directory(path: string): SimulatedDirectory {
    let directory = this.#root;
    for (const name of namesOf(path)) {
      const next = directory.entries.get(name);
      if (!(next instanceof SimulatedDirectory)) throw failure('ENOENT');
      directory = next;
    }
    return directory;
  }
}

function directoryWith(name: string): SimulatedDirectory {
  const directory = new SimulatedDirectory();
  directory.set(name, new SimulatedDirectory());
  directory.sync();
  return directory;
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '');
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}
