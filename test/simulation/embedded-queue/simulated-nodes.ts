/** A number from 0 to below `limit`. */
export type Random = (limit: number) => number;

const sectorBytes = 64;

interface Write {
  readonly kind: 'write';
  readonly bytes: Uint8Array;
  readonly at: number;
}

type FileChange = Write | { readonly kind: 'truncate'; readonly length: number };

/** A file: what the page cache shows, what the disk holds, and what lies between them. */
export class SimulatedFile {
  #cached = Buffer.alloc(0);
  #durable = Buffer.alloc(0);
  #changes: FileChange[] = [];

  get size(): number {
    return this.#cached.length;
  }

  read(target: Uint8Array, position: number): number {
    const part = this.#cached.subarray(position, position + target.length);
    target.set(part);
    return part.length;
  }

  write(bytes: Uint8Array, at: number): void {
    this.#change({ kind: 'write', bytes, at });
  }

  truncate(length: number): void {
    this.#change({ kind: 'truncate', length });
  }

  sync(): void {
    for (const change of this.#changes) this.#durable = applied(this.#durable, change);
    this.#changes = [];
  }

  /** A sync failed: what it should have written is not tried again. */
  drop(): void {
    this.#changes = [];
  }

  /** What is left after a power cut: the durable bytes and, of the rest, a beginning or scattered sectors. */
  afterPowerCut(random: Random): SimulatedFile {
    const file = new SimulatedFile();
    const isScattered = random(2) === 0;
    let bytes = this.#durable;
    for (const change of isScattered ? this.#changes : this.#beginning(random)) {
      bytes = change.kind === 'write' && isScattered ? scattered(bytes, change, random) : applied(bytes, change);
    }
    file.#cached = Buffer.from(bytes);
    file.#durable = Buffer.from(bytes);
    return file;
  }

  #beginning(random: Random): FileChange[] {
    const changes = this.#changes.slice(0, random(this.#changes.length + 1));
    const last = changes.at(-1);
    if (last?.kind !== 'write') return changes;
    const bytes = last.bytes.subarray(0, random(last.bytes.length + 1));
    return [...changes.slice(0, -1), { ...last, bytes }];
  }

  #change(change: FileChange): void {
    this.#cached = applied(this.#cached, change);
    this.#changes.push(change);
  }
}

function applied(bytes: Buffer, change: FileChange): Buffer<ArrayBuffer> {
  if (change.kind === 'truncate') {
    const result = Buffer.alloc(change.length);
    bytes.copy(result);
    return result;
  }
  const result = Buffer.alloc(Math.max(bytes.length, change.at + change.bytes.length));
  bytes.copy(result);
  result.set(change.bytes, change.at);
  return result;
}

function scattered(bytes: Buffer, change: Write, random: Random): Buffer<ArrayBuffer> {
  let result = applied(bytes, { ...change, bytes: new Uint8Array(0), at: change.at + change.bytes.length });
  for (let from = 0; from < change.bytes.length; from += sectorBytes) {
    if (random(2) === 0) continue;
    result = applied(result, {
      kind: 'write',
      bytes: change.bytes.subarray(from, from + sectorBytes),
      at: change.at + from,
    });
  }
  return result;
}

type Node = SimulatedFile | SimulatedDirectory;

/** A directory: its entries as processes see them, and those that would survive a power cut. */
export class SimulatedDirectory {
  readonly entries = new Map<string, Node>();
  readonly #durable = new Map<string, Node>();
  #changes: { readonly name: string; readonly node: Node | undefined }[] = [];

  /** Adds the entry, or removes it. */
  set(name: string, node: Node | undefined): void {
    enter(this.entries, name, node);
    this.#changes.push({ name, node });
  }

  sync(): void {
    for (const { name, node } of this.#changes) enter(this.#durable, name, node);
    this.#changes = [];
  }

  afterPowerCut(random: Random): SimulatedDirectory {
    const directory = new SimulatedDirectory();
    const left = new Map(this.#durable);
    for (const { name, node } of this.#changes) if (random(2) === 0) enter(left, name, node);
    for (const [name, node] of left) directory.set(name, node.afterPowerCut(random));
    directory.sync();
    return directory;
  }
}

function enter(entries: Map<string, Node>, name: string, node: Node | undefined): void {
  if (node === undefined) entries.delete(name);
  else entries.set(name, node);
}
