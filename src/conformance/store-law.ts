import type { Store } from '../ports/store.ts';

/** Where backups of the store under test are made, and what may be done with them. */
export interface BackupsUnderTest {
  /** A path at which nothing lies, another one each time. */
  newDirectory(): string;
  /** Opens a backup as a store of its own. The law closes it. */
  open(directory: string): Promise<Store>;
  /** Closes the store under test, puts the backup in its place, and opens that. */
  putBack(directory: string): Promise<void>;
}

/** One store of its own for one law. */
export interface StoreUnderTest {
  /** The open store: after a `reopen`, the one that was opened last. */
  readonly store: Store;
  /** Closes the store and opens it again on what it kept. Only called when the capabilities say `durable`. */
  reopen(): Promise<void>;
  /** Opens the same store beside the one under test, as another process would. There when the capabilities say `shared`. */
  another?(): Promise<Store>;
  /** There when the capabilities say `backup`. */
  readonly backups?: BackupsUnderTest;
  /** Closes the store and removes what it kept. */
  dispose(): Promise<void>;
}

/** A capability that a law may need. */
type Need = 'durable' | 'shared' | 'atomicPositions' | 'backup';

/** A law before it knows the store; with `needs`, it only holds for stores that have these capabilities. */
export interface StoreLawDefinition {
  readonly name: string;
  readonly needs?: Need | readonly Need[];
  check(subject: StoreUnderTest): Promise<void>;
}
