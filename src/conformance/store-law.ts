import type { Store } from '../ports/store.ts';

/** One store of its own for one law. */
export interface StoreUnderTest {
  /** The open store: after a `reopen`, the one that was opened last. */
  readonly store: Store;
  /** Closes the store and opens it again on what it kept. Only called when the capabilities say `durable`. */
  reopen(): Promise<void>;
  /** Closes the store and removes what it kept. */
  dispose(): Promise<void>;
}

/** A law before it knows the store; with `needs`, it only holds for stores that have the capability. */
export interface StoreLawDefinition {
  readonly name: string;
  readonly needs?: 'durable' | 'shared' | 'atomicPositions';
  check(subject: StoreUnderTest): Promise<void>;
}
