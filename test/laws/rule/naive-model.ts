import type { DeadLetterReason } from '../../../src/domain/plan.ts';
import {
  type ClaimDelivery,
  identity,
  type NaiveDelivery,
  type NumberedDelivery,
  type SkipDelivery,
} from './naive-delivery.ts';
import { type NaiveReign, type NaiveSession, newSession, parkedBytes, takeEffect } from './naive-session.ts';

/** What a delivery counted as. */
export type NaiveOutcome = 'duplicate' | 'applied' | 'parked' | 'corrected' | 'claimed' | 'decided' | DeadLetterReason;

/** The bounds that a reader of the contract can see. */
export interface NaiveLimits {
  readonly remembered: number;
  readonly earlierReigns: number;
  readonly parkedCommands: number;
  readonly parkedBytes: number;
}

export const contractLimits: NaiveLimits = {
  remembered: 16,
  earlierReigns: 16,
  parkedCommands: 10_000,
  parkedBytes: 64 * 1024 * 1024,
};

/**
 * The one rule once more, written from the words of the contract and from nothing else, as slow and as plain as it
 * gets: one delivery at a time, every command ever applied kept whole, no digest, no batch, no plan. It shares no code
 * with the rule that it is compared with; only types are imported.
 */
export class NaiveModel {
  readonly sessions = new Map<string, NaiveSession>();
  /** Dead letters of messages that name no session. */
  readonly homeless = new Set<string>();
  readonly #limits: NaiveLimits;

  constructor(limits: NaiveLimits) {
    this.#limits = limits;
  }

  deliver(delivery: NaiveDelivery): NaiveOutcome {
    if (delivery.session === undefined) {
      if (this.homeless.has(identity(delivery))) return 'duplicate';
      this.homeless.add(identity(delivery));
      return 'refused';
    }
    const session = this.session(delivery.session);
    const outcome = this.#decide(session, delivery);
    if (outcome === 'applied' || outcome === 'decided') this.#drain(session);
    return outcome;
  }

  session(name: string): NaiveSession {
    const session = this.sessions.get(name) ?? newSession();
    this.sessions.set(name, session);
    return session;
  }

  #decide(session: NaiveSession, delivery: NaiveDelivery): NaiveOutcome {
    if (session.deadLetters.has(identity(delivery))) return 'duplicate';
    // The table names this only where commands park. A command that waited for the first reign may by now be of no
    // reign; that a redelivery of it changes nothing follows from "the rule makes the effect exactly once".
    if (delivery.kind === 'numbered' && isWaiting(session, delivery)) return 'duplicate';
    switch (delivery.kind) {
      case 'unreadable':
        return deadLetter(session, delivery, 'refused');
      case 'claim':
        return this.#claim(session, delivery);
      case 'skip':
        return skip(session, delivery);
      case 'numbered':
        return this.#number(session, delivery);
    }
  }

  #claim(session: NaiveSession, claim: ClaimDelivery): NaiveOutcome {
    if (session.epoch === claim.epoch && session.writer === claim.writer) return 'duplicate';
    if (earlierReign(session, claim) !== undefined) return 'duplicate';
    if (claim.epoch <= session.epoch) return deadLetter(session, claim, 'fenced');
    for (const waiting of session.parked.values()) deadLetter(session, waiting, 'fenced');
    session.parked.clear();
    if (session.epoch > 0) {
      const ended = {
        epoch: session.epoch,
        writer: session.writer,
        first: session.lastAtClaim + 1,
        last: session.last,
      };
      session.earlier.push(ended);
    }
    while (session.earlier.length > this.#limits.earlierReigns) mergeOldest(session);
    session.epoch = claim.epoch;
    session.writer = claim.writer;
    session.lastAtClaim = session.last;
    session.halted = false;
    session.refused = false;
    session.skipped.clear();
    return 'claimed';
  }

  #number(session: NaiveSession, command: NumberedDelivery): NaiveOutcome {
    const { epoch, writer, sequence } = command;
    if (epoch < session.epoch || (epoch === session.epoch && writer !== session.writer)) {
      const reign = earlierReign(session, command);
      const covered = reign !== undefined && reign.first <= sequence && sequence <= reign.last;
      return covered ? 'duplicate' : deadLetter(session, command, 'fenced');
    }
    if (epoch > session.epoch) {
      if (session.epoch > 0) return deadLetter(session, command, 'unclaimed');
      if (sequence !== 1) return this.#park(session, command);
      session.epoch = epoch;
      session.writer = writer;
    }
    if (sequence <= session.lastAtClaim) return conflict(session, command);
    if (session.skipped.has(sequence)) return deadLetter(session, command, 'skipped');
    if (sequence <= session.last) {
      if (sequence <= session.last - this.#limits.remembered) return 'duplicate';
      const applied = session.applied.get(sequence);
      return applied !== undefined && isTwin(applied, command) ? 'duplicate' : conflict(session, command);
    }
    if (session.halted || sequence > session.last + 1) return this.#park(session, command);
    if (!command.valid) {
      session.refused = true;
      return deadLetter(session, command, 'refused');
    }
    session.last = sequence;
    session.refused = false;
    session.applied.set(sequence, command);
    takeEffect(session, command);
    return 'applied';
  }

  #park(session: NaiveSession, command: NumberedDelivery): NaiveOutcome {
    const waiting = session.parked.get(command.sequence);
    if (waiting !== undefined) return beside(session, waiting, command);
    const bytes = parkedBytes(session) + Buffer.byteLength(command.data);
    if (session.parked.size >= this.#limits.parkedCommands || bytes > this.#limits.parkedBytes) {
      return deadLetter(session, command, 'overflow');
    }
    session.parked.set(command.sequence, command);
    return 'parked';
  }

  #drain(session: NaiveSession): void {
    while (!session.halted) {
      const next = session.parked.get(session.last + 1);
      if (next === undefined) return;
      session.parked.delete(next.sequence);
      this.#decide(session, next);
    }
  }
}

/** Two commands under one number, of which one waits. Those that differ in an attribute only are the same write. */
function beside(session: NaiveSession, waiting: NumberedDelivery, command: NumberedDelivery): NaiveOutcome {
  if (!isTwin(waiting, command)) return deadLetter(session, command, 'conflict');
  if (!command.valid) return deadLetter(session, command, 'refused');
  session.parked.set(command.sequence, command);
  deadLetter(session, waiting, 'refused');
  return 'corrected';
}

/** The same data of the same writer under the same number, whatever stands in the attributes. */
function isTwin(one: NumberedDelivery, other: NumberedDelivery): boolean {
  return one.epoch === other.epoch && one.writer === other.writer && one.type === other.type && one.data === other.data;
}

function isWaiting(session: NaiveSession, command: NumberedDelivery): boolean {
  const waiting = session.parked.get(command.sequence);
  return waiting !== undefined && identity(waiting) === identity(command);
}

function skip(session: NaiveSession, decision: SkipDelivery): NaiveOutcome {
  if (session.decisions.has(decision.id)) return 'duplicate';
  const next = session.last + 1;
  const laterParked = [...session.parked.keys()].some((sequence) => sequence > next);
  const blocked = session.refused || laterParked;
  if (decision.epoch !== session.epoch || decision.sequence !== next || session.halted || !blocked) {
    return deadLetter(session, decision, 'stale decision');
  }
  session.decisions.add(decision.id);
  session.last = next;
  session.refused = false;
  session.skipped.add(next);
  return 'decided';
}

function earlierReign(session: NaiveSession, by: { epoch: number; writer: string }): NaiveReign | undefined {
  return session.earlier.find((reign) =>
    reign.writer === undefined ? by.epoch <= reign.epoch : by.epoch === reign.epoch && by.writer === reign.writer,
  );
}

function mergeOldest(session: NaiveSession): void {
  const [oldest, second, ...younger] = session.earlier;
  if (oldest === undefined || second === undefined) return;
  session.earlier = [{ epoch: second.epoch, writer: undefined, first: oldest.first, last: second.last }, ...younger];
}

function deadLetter(session: NaiveSession, delivery: NaiveDelivery, reason: DeadLetterReason): NaiveOutcome {
  session.deadLetters.set(identity(delivery), reason);
  return reason;
}

function conflict(session: NaiveSession, command: NumberedDelivery): NaiveOutcome {
  session.halted = true;
  return deadLetter(session, command, 'conflict');
}
