import type { DeadLetterReason } from '../../../src/domain/plan.ts';
import type { NumberedDelivery } from './naive-delivery.ts';

/** A finished stretch of a session; `writer` undefined: several merged, standing for every epoch up to `epoch`. */
export interface NaiveReign {
  readonly epoch: number;
  readonly writer: string | undefined;
  readonly first: number;
  readonly last: number;
}

/** All there is to know of one session. */
export interface NaiveSession {
  presence: 'unknown' | 'known' | 'deleted';
  epoch: number;
  writer: string | undefined;
  lastAtClaim: number;
  last: number;
  halted: boolean;
  refused: boolean;
  earlier: NaiveReign[];
  /** Every command applied in any reign, by its number. */
  readonly applied: Map<number, NumberedDelivery>;
  readonly skipped: Set<number>;
  readonly parked: Map<number, NumberedDelivery>;
  /** By identity. */
  readonly deadLetters: Map<string, DeadLetterReason>;
  /** Ids of the decisions that counted. */
  readonly decisions: Set<string>;
  log: string[];
  snapshot: string | undefined;
  receipt: string | undefined;
  anchor: string | undefined;
}

/** A session of which nothing was heard yet. */
export function newSession(): NaiveSession {
  return {
    presence: 'unknown',
    epoch: 0,
    writer: undefined,
    lastAtClaim: 0,
    last: 0,
    halted: false,
    refused: false,
    earlier: [],
    applied: new Map(),
    skipped: new Set(),
    parked: new Map(),
    deadLetters: new Map(),
    decisions: new Set(),
    log: [],
    snapshot: undefined,
    receipt: undefined,
    anchor: undefined,
  };
}

/** Bytes of data that wait. */
export function parkedBytes(session: NaiveSession): number {
  let bytes = 0;
  for (const command of session.parked.values()) bytes += Buffer.byteLength(command.data);
  return bytes;
}

/** The data of a session, and what each command type does to it. */
export type NaiveData = Pick<NaiveSession, 'presence' | 'log' | 'snapshot' | 'receipt' | 'anchor'>;

export function takeEffect(session: NaiveData, command: Pick<NumberedDelivery, 'type' | 'data'>): void {
  switch (command.type) {
    case 'macp.session.delete.v1':
      session.presence = 'deleted';
      session.log = [];
      session.snapshot = undefined;
      session.receipt = undefined;
      session.anchor = undefined;
      return;
    case 'macp.receipt.store.v1':
      if (session.presence === 'known') session.receipt ??= command.data;
      return;
    case 'macp.anchor.store.v1':
      if (session.presence === 'known') session.anchor = command.data;
      return;
    case 'macp.session.create.v1':
      break;
    case 'macp.log.append.v1':
      session.log.push(command.data);
      break;
    case 'macp.session.save.v1':
      session.snapshot = command.data;
      break;
    case 'macp.log.replace.v1':
      session.log = (JSON.parse(command.data) as unknown[]).map((entry) => JSON.stringify(entry));
      break;
  }
  session.presence = 'known';
}
