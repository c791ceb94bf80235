import type { Argument } from '../../redis/command.ts';
import { argumentsAtOnce, type CommitControl } from './commit-script.ts';

/** The letter of a key's type, or that its length tells. */
type KeyType = 's' | 'l' | 'h' | 'e' | 'z' | '-';

/** Collects keys, bytes and steps of one run of the commit script. */
export class CommitInput {
  readonly keys: string[] = [];
  readonly args: Argument[] = [''];
  readonly #control: CommitControl = {
    types: '',
    positions: 0,
    positionsKey: 0,
    versions: [],
    cursorsKey: 0,
    logs: [],
    entries: 0,
    totals: [],
    totalsKey: 0,
    unreadable: [],
    filedKey: 0,
    identity: '',
    identityKey: 0,
    steps: [],
  };
  readonly #entries: Uint8Array[] = [];
  readonly #known = new Map<string, number>();
  readonly #types: KeyType[] = [];

  /** The index of a key that has, or will have, this type. */
  key(key: string, type: KeyType): number {
    const known = this.#known.get(key) ?? this.newKey(key, type);
    this.#known.set(key, known);
    return known;
  }

  /** The index of a key that is asked for only once. */
  newKey(key: string, type: KeyType): number {
    this.#types.push(type);
    return this.keys.push(key);
  }

  /** Puts bytes in; the index of the first of them. */
  put(values: readonly Argument[]): number {
    const first = this.args.length + 1;
    for (const value of values) this.args.push(value);
    return first;
  }

  /** A command on `key` with the arguments from index `first` to `last`. */
  step(command: Uppercase<string>, key: number, first: number, last: number): void {
    this.#control.steps.push(command, key, first, last);
  }

  /** The command on `key` with all of the values, as often as it takes; `group` of them stay together. */
  steps(command: Uppercase<string>, key: number, values: readonly Argument[], group = 1): void {
    const most = argumentsAtOnce - (argumentsAtOnce % group);
    const first = this.put(values);
    for (let done = 0; done < values.length; done += most) {
      this.step(command, key, first + done, first + Math.min(done + most, values.length) - 1);
    }
  }

  /** Positions and what they must be and become: to be the first that is put in. */
  positions(key: string, steps: readonly ComparedPosition[]): void {
    if (steps.length === 0) return;
    this.#control.positions = steps.length;
    this.#control.positionsKey = this.key(key, 'h');
    const pairs = steps.flatMap(({ name, after }) => [name, after]);
    this.steps('HSET', this.#control.positionsKey, pairs, 2);
    this.put(steps.map(({ before }) => before));
  }

  /** Cursors, the version that they must have and what they become: to be put in right behind the positions. */
  cursors(key: string, changes: readonly ComparedCursor[]): void {
    if (changes.length === 0) return;
    this.#control.cursorsKey = this.key(key, 'h');
    const pairs: Argument[] = [];
    for (const { name, version, after } of changes) {
      this.#control.versions.push(version ?? -1);
      pairs.push(name, after);
    }
    this.steps('HSET', this.#control.cursorsKey, pairs, 2);
  }

  /** The log must be this long, and becomes longer. */
  log(key: number, length: number, entries: readonly Uint8Array[]): void {
    this.#control.logs.push(key, length, entries.length);
    for (const entry of entries) this.#entries.push(entry);
  }

  total(key: string, name: string, added: number): void {
    this.#control.totalsKey = this.key(key, 'h');
    this.#control.totals.push(name, added);
  }

  /** Adds one to a total when the argument names no member of `filed` yet. */
  unreadable(filed: string, argument: number, totals: string, name: string): void {
    this.#control.filedKey = this.key(filed, 'h');
    this.#control.totalsKey = this.key(totals, 'h');
    this.#control.unreadable.push(argument, name);
  }

  /** The store must still be this one. */
  identity(key: string, text: string): void {
    this.#control.identityKey = this.key(key, 's');
    this.#control.identity = text;
  }

  /** To be called when all is in. Without `writes`, the script checks only. */
  finish({ writes }: { readonly writes: boolean } = { writes: true }): this {
    this.#control.types = this.#types.join('');
    this.#control.entries = this.put(this.#entries);
    const nothing = { steps: [], logs: [], totals: [], unreadable: [] };
    this.args[0] = JSON.stringify(writes ? this.#control : { ...this.#control, ...nothing });
    return this;
  }
}

/** A member of a hash, its old value, empty where there is none, and its new one. */
export interface ComparedPosition {
  readonly name: string;
  readonly before: Argument;
  readonly after: Argument;
}

/** A member of a hash, the version of the cursor that it holds, undefined where there is none, and its new cursor. */
export interface ComparedCursor {
  readonly name: string;
  readonly version: number | undefined;
  readonly after: Argument;
}
