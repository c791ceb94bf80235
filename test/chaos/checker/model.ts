/** One record of the topic, as it was read there. */
export interface TopicRecord {
  readonly partition: number;
  readonly offset: number;
  /** The key. */
  readonly session: string;
  readonly type: string;
  readonly writer: string;
  readonly epoch: number;
  /** Undefined on a claim. */
  readonly sequence: number | undefined;
  readonly data: string;
}

/** A command of which a publisher was told that it is durable, and where. */
export interface Acknowledged {
  readonly session: string;
  readonly writer: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly partition: number;
  readonly offset: number;
  /** SHA-256 of its data, hexadecimal. */
  readonly digest: string;
}

/** What a store holds of one session. */
export interface StoredSession {
  readonly log: readonly string[];
  readonly snapshot: string | undefined;
  /** Its dead letters as they are stored: somewhere in each stands the message that it was made of. */
  readonly deadLetters: readonly string[];
  /** How many commands wait there. */
  readonly parked: number;
}

export interface Stored {
  readonly sessions: ReadonlyMap<string, StoredSession>;
  /** What lies in the store and belongs to none of these sessions, named for people. */
  readonly others: readonly string[];
}

/**
 * What can be wrong. `lost`, `doubled`, `reordered`, `foreign`: entries of logs. `topic`: the topic itself breaks the
 * order of a session. `acknowledged`: what a publisher was told is not what the topic holds.
 */
export type Wrong =
  | 'lost'
  | 'doubled'
  | 'reordered'
  | 'foreign'
  | 'snapshot'
  | 'session'
  | 'dead letter'
  | 'parked'
  | 'topic'
  | 'acknowledged';

export interface Complaint {
  readonly wrong: Wrong;
  /** How many entries, records or sessions it is about. */
  readonly count: number;
  readonly text: string;
}
