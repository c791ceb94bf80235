import { join } from 'node:path';
import type { SessionId } from '../../domain/identifiers.ts';

/** The files that a session may have. */
export const sessionFiles = ['log', 'snapshot', 'receipt', 'anchor'] as const;
export type SessionFile = (typeof sessionFiles)[number];

const fileNames: Readonly<Record<SessionFile, string>> = {
  log: 'log.jsonl',
  snapshot: 'session.json',
  receipt: 'receipt.json',
  anchor: 'anchor.json',
};

/** Where everything of a file store lies: macp-runtime's directories, and ours beside them. */
export class Places {
  readonly directory: string;
  /** A folder a session, named by its id. */
  readonly sessions: string;
  /** macp-runtime's record of its layout. */
  readonly layout: string;
  /** What macp-runtime does not look at. */
  readonly own: string;
  readonly records: string;
  readonly journal: string;
  /** Written when the store is closed: its time tells what was modified since. */
  readonly closed: string;
  /** Files that were replaced while somebody still read them. */
  readonly setAside: string;

  constructor(directory: string) {
    this.directory = directory;
    this.sessions = join(directory, 'sessions');
    this.layout = join(directory, 'storage_version.json');
    this.own = join(directory, '.macp-persist');
    this.records = join(this.own, 'records');
    this.journal = join(this.own, 'journal');
    this.closed = join(this.own, 'closed');
    this.setAside = join(this.own, 'set-aside');
  }

  /** Where nothing but the store may lie: macp-runtime takes every directory among its sessions for one. */
  get directories(): readonly string[] {
    return [this.sessions, this.own];
  }

  session(session: SessionId): string {
    return join(this.sessions, session);
  }

  file(session: SessionId, file: SessionFile): string {
    return join(this.sessions, session, fileNames[file]);
  }

  /** Where a file is written before it takes its place; macp-runtime removes what is left there. */
  draft(session: SessionId, file: SessionFile): string {
    return `${this.file(session, file)}.tmp`;
  }
}
