import type { Argument } from './command.ts';
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
    cursors: 0,
    cursorsKey: 0,
    lengths: [],
    totals: [],
    totalsKey: 0,
    unreadable: [],
    filedKey: 0,
    identity: '',
    identityKey: 0,
    steps: [],
  };
  readonly #known = new Map<string, number>();
  readonly #types: KeyType[] = [];

  /** The index of a key that has, or will have, this type. */
  key(key: string, type: KeyType): number {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.keys.push(key);
    this.#types.push(type);
    this.#known.set(key, this.keys.length);
    return this.keys.length;
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

  /** Positions: to be the first that is put in. */
  positions(key: string, steps: readonly Compared[]): void {
    if (steps.length === 0) return;
    const index = this.key(key, 'h');
    this.#control.positions = steps.length;
    this.#control.positionsKey = index;
    this.#compare(index, steps);
  }

  /** Cursors: to be put in right behind the positions. */
  cursors(key: string, changes: readonly Compared[]): void {
    if (changes.length === 0) return;
    const index = this.key(key, 'h');
    this.#control.cursors = changes.length;
    this.#control.cursorsKey = index;
    this.#compare(index, changes);
  }

  /** The list must be this long. */
  length(key: number, entries: number): void {
    this.#control.lengths.push(key, entries);
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
    this.args[0] = JSON.stringify(writes ? this.#control : { ...this.#control, steps: [], totals: [], unreadable: [] });
    return this;
  }

  #compare(key: number, compared: readonly Compared[]): void {
    const pairs: Argument[] = [];
    for (const { name, after } of compared) pairs.push(name, after);
    this.steps('HSET', key, pairs, 2);
    for (const { before } of compared) this.args.push(before);
  }
}

/** A member of a hash: how its old value begins, empty where there is none, and its new one. */
export interface Compared {
  readonly name: string;
  readonly before: Argument;
  readonly after: Argument;
}
