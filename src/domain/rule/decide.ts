import { type ClaimCommand, type SkipCommand, wireLimits } from '../command.ts';
import { type Cursor, earlierReign, isSkipped, rememberedDigest } from '../cursor.ts';
import type { Content, NumberedContent, Refusal } from '../delivery.ts';
import { shortDigest } from '../digest.ts';
import { noEpoch, type Sequence } from '../identifiers.ts';
import type { DeadLetterReason, ParkedHeader } from '../plan.ts';

/** What one delivery is decided against. */
export interface Standing {
  readonly cursor: Cursor;
  /** What is parked under the delivery's sequence. */
  readonly parkedThere: ParkedHeader | undefined;
  /** True when this very delivery is already a dead letter or an applied decision. */
  readonly isFiled: boolean;
}

/** A refused delivery: `halts` stops the session until a claim, `blocks` leaves its number open and refused. */
export interface DeadLetterOutcome {
  readonly kind: 'dead letter';
  readonly reason: DeadLetterReason;
  readonly detail: string;
  readonly effect: 'none' | 'halts' | 'blocks';
}

/**
 * `open`: the delivery opens the session's first reign; it is then decided again. `correct`: it is parked in the place
 * of its refused twin, which is then decided again.
 */
export type Outcome =
  | { readonly kind: 'duplicate' | 'open' | 'claim' | 'skip' | 'park' | 'correct' | 'apply' }
  | DeadLetterOutcome;

const duplicate: Outcome = { kind: 'duplicate' };
const open: Outcome = { kind: 'open' };
const claim: Outcome = { kind: 'claim' };
const skip: Outcome = { kind: 'skip' };
const park: Outcome = { kind: 'park' };
const correct: Outcome = { kind: 'correct' };
const apply: Outcome = { kind: 'apply' };

/** The one rule (docs/decisions/0001): what happens to a delivery. The rows of the table, tried from the top. */
export function decide(standing: Standing, content: Content): Outcome {
  // What waits unchanged is a duplicate whatever reigns by now: otherwise one command could wait and be filed.
  if (standing.isFiled || isParked(standing, content)) return duplicate;
  switch (content.kind) {
    case 'unreadable':
      return deadLetter('refused', content.refusal.message);
    case 'claim':
      return decideClaim(standing.cursor, content);
    case 'skip':
      return decideSkip(standing.cursor, content);
    case 'numbered':
      return decideNumbered(standing, content);
  }
}

function decideNumbered(standing: Standing, content: NumberedContent): Outcome {
  const { cursor } = standing;
  const { sequence } = content;
  if (cursor.epoch === noEpoch) return sequence === 1 ? open : parkUnlessTaken(standing, content);
  if (isOfLowerReign(cursor, content)) return duplicateOrFenced(cursor, content);
  if (content.epoch > cursor.epoch) {
    return deadLetter(
      'unclaimed',
      `epoch ${content.epoch} has not claimed the session, which stands at ${cursor.epoch}`,
    );
  }
  if (sequence < cursor.first) {
    return deadLetter(
      'conflict',
      `sequence ${sequence} was taken before this writer's claim; it starts at ${cursor.first}`,
      'halts',
    );
  }
  if (isSkipped(cursor, sequence)) return deadLetter('skipped', `sequence ${sequence} was skipped by an operator`);
  if (sequence <= cursor.last) return duplicateOrConflict(cursor, content);
  if (cursor.halted || sequence > cursor.last + 1) return parkUnlessTaken(standing, content);
  if (content.refusal !== undefined) return deadLetter('refused', content.refusal.message, 'blocks');
  return apply;
}

/** True when this very command waits already. */
function isParked({ parkedThere }: Standing, content: Content): boolean {
  return (
    parkedThere !== undefined &&
    content.kind === 'numbered' &&
    isTwin(parkedThere, content) &&
    parkedThere.refusal === content.refusal?.code
  );
}

/** True for the same data of the same writer: whatever differs is in the attributes, and so in what is refused. */
function isTwin(parkedThere: ParkedHeader, content: NumberedContent): boolean {
  return (
    parkedThere.epoch === content.epoch &&
    parkedThere.writer === content.writer &&
    parkedThere.digest === content.digest
  );
}

function isOfLowerReign(cursor: Cursor, content: NumberedContent): boolean {
  return content.epoch < cursor.epoch || (content.epoch === cursor.epoch && content.writer !== cursor.writer);
}

function duplicateOrFenced(cursor: Cursor, content: NumberedContent): Outcome {
  const reign = earlierReign(cursor, content.epoch, content.writer);
  const covered = reign !== undefined && reign.first <= content.sequence && content.sequence <= reign.last;
  return covered ? duplicate : fenced(cursor, content);
}

function duplicateOrConflict(cursor: Cursor, content: NumberedContent): Outcome {
  const known = rememberedDigest(cursor, content.sequence);
  if (known === undefined || known === shortDigest(content.digest)) return duplicate;
  return deadLetter('conflict', `sequence ${content.sequence} was applied with other data`, 'halts');
}

function parkUnlessTaken({ cursor, parkedThere }: Standing, content: NumberedContent): Outcome {
  if (parkedThere !== undefined) return beside(parkedThere, content);
  const tooMany = cursor.parkedCommands >= wireLimits.parkedCommands;
  const tooLarge = cursor.parkedBytes + content.data.length > wireLimits.parkedBytes;
  return tooMany || tooLarge
    ? deadLetter('overflow', `${cursor.parkedCommands} commands of ${cursor.parkedBytes} bytes are parked already`)
    : park;
}

/** What becomes of a command when another one waits under its number (docs/decisions/0015). */
function beside(parkedThere: ParkedHeader, content: NumberedContent): Outcome {
  const { sequence, refusal } = content;
  if (!isTwin(parkedThere, content)) return deadLetter('conflict', rivalDetail(sequence));
  return refusal === undefined ? correct : deadLetter('refused', twinDetail(sequence, refusal));
}

function decideClaim(cursor: Cursor, content: ClaimCommand): Outcome {
  const present = content.epoch === cursor.epoch && content.writer === cursor.writer;
  if (present || earlierReign(cursor, content.epoch, content.writer) !== undefined) return duplicate;
  return content.epoch > cursor.epoch ? claim : fenced(cursor, content);
}

function decideSkip(cursor: Cursor, { decision }: SkipCommand): Outcome {
  const blocked = cursor.refused || cursor.parkedCommands > 0;
  const current = decision.epoch === cursor.epoch && decision.sequence === cursor.last + 1;
  if (current && blocked && !cursor.halted) return skip;
  return deadLetter(
    'stale decision',
    `sequence ${decision.sequence} of epoch ${decision.epoch} is not what blocks the session, which stands at ` +
      `sequence ${cursor.last} of epoch ${cursor.epoch}${cursor.halted ? ' and is halted' : ''}`,
  );
}

/**
 * What is said of a conflict that halts nothing, because the number is not applied yet. The detail is kept with the dead
 * letter, and nothing else there tells such a conflict from one that halted its session.
 */
export function rivalDetail(sequence: Sequence): string {
  return `another command is parked under sequence ${sequence}`;
}

/**
 * What is said of a refusal that blocks nothing, because the same data waits under the number. As with a rival, nothing
 * else that is kept tells it from a refusal that left its number open.
 */
export function twinDetail(sequence: Sequence, { message }: Refusal): string {
  return `${message}; the same data waits under sequence ${sequence}`;
}

function fenced(cursor: Cursor, content: NumberedContent | ClaimCommand): Outcome {
  return deadLetter(
    'fenced',
    `epoch ${content.epoch} of ${content.writer} is fenced: ${cursor.writer ?? 'nobody'} reigns with epoch ${cursor.epoch}`,
  );
}

function deadLetter(reason: DeadLetterReason, detail: string, effect: DeadLetterOutcome['effect'] = 'none'): Outcome {
  return { kind: 'dead letter', reason, detail, effect };
}
