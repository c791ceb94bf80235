import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DiskFile, type Survival } from './disk-file.ts';
import type { JournalRecord } from './journal.ts';

interface DirectoryNode {
  readonly kind: 'directory';
  readonly strict: boolean;
  readonly entries: Map<string, TreeNode>;
  /** `strict`: how far an fsync of the directory itself has made its changes durable. */
  syncedUntil: number;
  lastChange: number;
}

type TreeNode = DiskFile | DirectoryNode;

/** A change of one name in one directory; the two halves of a rename share their place in the order. */
interface EntryChange {
  readonly at: number;
  readonly directory: DirectoryNode;
  readonly name: string;
  readonly node: TreeNode | undefined;
}

/** Files by path, and directories (undefined). */
export type Image = ReadonlyMap<string, Buffer | undefined>;

/**
 * A disk as the effects of a journal leave it: what is durable, and what is only written. The rules and their reasons
 * stand in docs/decisions/0009-power-cut-model.md; in short:
 * - a sync covers what was written to its file before it began, once it has ended;
 * - changes of names are durable in their order, as far as a sync of a grown file or of a changed directory reached;
 * - in a strict directory they are durable only once that directory was synced;
 * - after a failed sync the pages it should have written are clean: read back until the cut, gone after it.
 */
export class Disk {
  readonly #strict: (directory: string) => boolean;
  readonly #root: DirectoryNode;
  readonly #base = new Map<DirectoryNode, ReadonlyMap<string, TreeNode>>();
  readonly #changes: EntryChange[] = [];
  readonly #files = new Map<number, DiskFile>();
  /** Syncs under way by effect number. */
  readonly #syncs = new Map<number, { readonly at: number; readonly node: TreeNode | undefined }>();
  #committedUntil = 0;
  #clock = 0;

  /** A disk on which everything below `directory` is durable. `strict` is asked with paths below it. */
  constructor(directory: string, strict: (directory: string) => boolean) {
    this.#strict = strict;
    this.#root = this.#load(directory, '.');
  }

  /** Takes one more effect. */
  apply(record: JournalRecord): void {
    this.#clock += 1;
    const at = this.#clock;
    switch (record.kind) {
      case 'mark':
        return;
      case 'open': {
        const node = this.#find(record.data.toString());
        if (node?.kind === 'file') this.#files.set(record.file, node);
        return;
      }
      case 'create': {
        const file = new DiskFile(Buffer.alloc(0), true);
        this.#files.set(record.file, file);
        this.#change(at, record.data.toString(), file);
        return;
      }
      case 'mkdir': {
        const path = record.data.toString();
        this.#change(at, path, emptyDirectory(this.#strict(path)));
        return;
      }
      case 'unlink':
      case 'rmdir':
        this.#change(at, record.data.toString(), undefined);
        return;
      case 'link':
      case 'rename': {
        const [from = '', to = ''] = record.data.toString().split('\n');
        const node = this.#find(from);
        if (node === undefined) throw new Error(`the journal moves ${from}, which does not exist`);
        if (record.kind === 'rename') this.#change(at, from, undefined);
        this.#change(at, to, node);
        return;
      }
      case 'write':
        this.#file(record.file).write(at, record.offset, record.data);
        return;
      case 'truncate':
        this.#file(record.file).truncate(at, record.offset);
        return;
      case 'fsync-begin':
      case 'fdatasync-begin':
      case 'directory-begin': {
        const node = record.kind === 'directory-begin' ? this.#find(record.data.toString()) : this.#file(record.file);
        this.#syncs.set(record.effect, { at, node });
        return;
      }
      case 'sync-end':
      case 'sync-failed':
        this.#endSync(record);
        return;
    }
  }

  /** What the disk holds after the power is cut now. */
  survivors(survival: Survival): Image {
    const metadataUntil = this.#metadataUntil(survival);
    const strictUntil = new Map<DirectoryNode, number>();
    const trees = new Map<DirectoryNode, Map<string, TreeNode>>();
    const entries = (directory: DirectoryNode): Map<string, TreeNode> => {
      const known = trees.get(directory);
      if (known !== undefined) return known;
      const made = new Map(this.#base.get(directory));
      trees.set(directory, made);
      return made;
    };
    for (const change of this.#changes) {
      let until = metadataUntil;
      if (change.directory.strict) {
        until = strictUntil.get(change.directory) ?? this.#strictUntil(change.directory, survival);
        strictUntil.set(change.directory, until);
      }
      if (change.at > until) continue;
      if (change.node === undefined) entries(change.directory).delete(change.name);
      else entries(change.directory).set(change.name, change.node);
    }
    const image = new Map<string, Buffer | undefined>();
    const walk = (directory: DirectoryNode, prefix: string): void => {
      for (const [name, node] of [...entries(directory)].sort(([a], [b]) => (a < b ? -1 : 1))) {
        image.set(prefix + name, node.kind === 'file' ? node.survivor(survival) : undefined);
        if (node.kind === 'directory') walk(node, `${prefix}${name}/`);
      }
    };
    walk(this.#root, '');
    return image;
  }

  #endSync(record: JournalRecord): void {
    const begun = this.#syncs.get(record.effect);
    if (begun === undefined) throw new Error(`sync ${record.effect} ends and never began`);
    this.#syncs.delete(record.effect);
    const { at, node } = begun;
    if (node === undefined) return;
    if (node.kind === 'directory') {
      if (record.kind === 'sync-failed') return;
      node.syncedUntil = Math.max(node.syncedUntil, at);
      this.#committedUntil = Math.max(this.#committedUntil, Math.min(at, node.lastChange));
      return;
    }
    if (record.kind === 'sync-failed') node.syncFailed(at);
    else if (node.synced(at)) this.#committedUntil = Math.max(this.#committedUntil, at);
  }

  #metadataUntil(survival: Survival): number {
    if (survival.kind === 'synced') return this.#committedUntil;
    if (survival.kind === 'written') return this.#clock;
    return this.#committedUntil + survival.random.below(this.#clock - this.#committedUntil + 1);
  }

  #strictUntil(directory: DirectoryNode, survival: Survival): number {
    if (survival.kind === 'synced') return directory.syncedUntil;
    if (survival.kind === 'written') return this.#clock;
    return directory.syncedUntil + survival.random.below(this.#clock - directory.syncedUntil + 1);
  }

  #load(directory: string, path: string): DirectoryNode {
    const node = emptyDirectory(this.#strict(path));
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const inside = join(directory, entry.name);
      const child: TreeNode = entry.isDirectory()
        ? this.#load(inside, path === '.' ? entry.name : `${path}/${entry.name}`)
        : new DiskFile(readFileSync(inside), false);
      node.entries.set(entry.name, child);
    }
    this.#base.set(node, new Map(node.entries));
    return node;
  }

  #find(path: string): TreeNode | undefined {
    let node: TreeNode | undefined = this.#root;
    if (path === '.') return node;
    for (const name of path.split('/')) node = node?.kind === 'directory' ? node.entries.get(name) : undefined;
    return node;
  }

  #file(inode: number): DiskFile {
    const file = this.#files.get(inode);
    if (file === undefined) throw new Error(`the journal writes to inode ${inode}, which it never opened`);
    return file;
  }

  #change(at: number, path: string, node: TreeNode | undefined): void {
    const parent = this.#find(dirname(path));
    if (parent?.kind !== 'directory') throw new Error(`the journal changes ${path}, whose directory does not exist`);
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (node === undefined) parent.entries.delete(name);
    else parent.entries.set(name, node);
    parent.lastChange = at;
    this.#changes.push({ at, directory: parent, name, node });
  }
}

/** Writes an image below a fresh directory. */
export function writeImage(image: Image, directory: string): void {
  mkdirSync(directory, { recursive: true });
  for (const [path, data] of image) {
    if (data === undefined) mkdirSync(join(directory, path));
    else writeFileSync(join(directory, path), data);
  }
}

/** What lies below a directory now. */
export function readImage(directory: string): Image {
  return new Disk(directory, () => false).survivors({ kind: 'written' });
}

function emptyDirectory(strict: boolean): DirectoryNode {
  return { kind: 'directory', strict, entries: new Map(), syncedUntil: 0, lastChange: 0 };
}
