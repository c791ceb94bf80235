import type { Epoch, Sequence, SessionId, Writer } from './identifiers.ts';

/** The command types that write to a session and carry a sequence. */
export const numberedTypes = [
  'macp.session.create.v1',
  'macp.log.append.v1',
  'macp.session.save.v1',
  'macp.log.replace.v1',
  'macp.session.delete.v1',
  'macp.receipt.store.v1',
  'macp.anchor.store.v1',
] as const;

export const claimType = 'macp.session.claim.v1';
export const skipType = 'macp.sequence.skip.v1';

export type NumberedType = (typeof numberedTypes)[number];
export type CommandType = NumberedType | typeof claimType | typeof skipType;

/** Limits that decide validity: constants of the wire version, never settings, so that a replay decides the same. */
export const wireLimits = {
  /** Largest data of one command, in bytes: a 1 MiB payload is 3.7 MB as a number array; a checkpoint holds it twice. */
  dataBytes: 16 * 1024 * 1024,
  /** Most commands parked for one session. */
  parkedCommands: 10_000,
  /** Most bytes of data parked for one session. */
  parkedBytes: 64 * 1024 * 1024,
  /** How many of the latest commands a cursor remembers by digest. */
  rememberedDigests: 16,
  /** How many earlier reigns a cursor keeps apart before the oldest two merge. */
  earlierReigns: 16,
} as const;

interface CommandAttributes {
  readonly session: SessionId;
  /** CloudEvents `id`. */
  readonly id: string;
  /** CloudEvents `time` (RFC 3339), when the sender gave one. It never decides anything. */
  readonly time?: string | undefined;
  /** W3C trace context, passed through. */
  readonly traceparent?: string | undefined;
}

/** One intended write to one session. `data` is what will be stored: compact JSON text, or opaque bytes, or empty. */
export interface NumberedCommand extends CommandAttributes {
  readonly kind: 'numbered';
  readonly type: NumberedType;
  readonly writer: Writer;
  readonly epoch: Epoch;
  readonly sequence: Sequence;
  readonly data: Uint8Array;
}

/** "I am the session's writer from now on": takes no sequence. */
export interface ClaimCommand extends CommandAttributes {
  readonly kind: 'claim';
  readonly type: typeof claimType;
  readonly writer: Writer;
  readonly epoch: Epoch;
}

/** An operator's decision to pass over the open number of a blocked session. */
export interface SkipCommand extends CommandAttributes {
  readonly kind: 'skip';
  readonly type: typeof skipType;
  /** CloudEvents `source` of whoever sent the decision. */
  readonly source: Writer;
  readonly decision: SkipDecision;
  /** The decision as it was sent: compact JSON. */
  readonly data: Uint8Array;
}

/** The data of a skip: number `sequence` of the reign `epoch` is passed over, decided by `by` because of `reason`. */
export interface SkipDecision {
  readonly sequence: Sequence;
  readonly epoch: Epoch;
  readonly by: string;
  readonly reason: string;
}

export type Command = NumberedCommand | ClaimCommand | SkipCommand;

/** The CloudEvents id of a numbered command, `session/epoch/n`, or of a claim, `session/epoch/claim`. */
export function commandId(session: SessionId, epoch: Epoch, sequence: Sequence | 'claim'): string {
  return `${session}/${epoch}/${sequence}`;
}
