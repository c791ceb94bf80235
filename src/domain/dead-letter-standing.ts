import { type Cursor, earlierReign, isSkipped, type Reign } from './cursor.ts';
import type { Epoch, Sequence, Writer } from './identifiers.ts';
import type { DeadLetter, DeadLetterReason, Decision } from './plan.ts';
import { rivalDetail, twinDetail } from './rule/decide.ts';
import { obstacleOf } from './standing.ts';

/** How a dead letter stands today, by the cursor of its session and by what is filed there. */
export interface DeadLetterStanding {
  /** `open`: it holds its session up. `resolved`: it did, and does no more. `kept`: it never did. */
  readonly state: 'open' | 'resolved' | 'kept';
  /** Why it holds its session up, or what ended that, in a sentence; undefined for one that is only kept. */
  readonly standing: string | undefined;
  /** Who decided, where somebody did. */
  readonly decided: { readonly by: string; readonly reason: string } | undefined;
}

/** A dead letter of a command that carries a number. */
interface Numbered extends DeadLetter {
  readonly epoch: Epoch;
  readonly writer: Writer;
  readonly sequence: Sequence;
}

const kept: DeadLetterStanding = { state: 'kept', standing: undefined, decided: undefined };

/**
 * Reasons for which a command is lost while its number may still come up: from then on the same bytes are duplicates
 * of the dead letter, so that only other data, a skip or a claim takes the session past the number.
 */
const lost: readonly DeadLetterReason[] = ['refused', 'overflow', 'unclaimed'];

/**
 * How a dead letter stands. `cursor` is its session's, read after the letter; `decisions` are those filed under the
 * session, read after the cursor: they need to be there only where {@link mayBeDecided} says so. All of it follows from
 * the session's commands, so that a replay tells the same.
 */
export function standingOf(letter: DeadLetter, cursor: Cursor, decisions: readonly Decision[]): DeadLetterStanding {
  if (!isNumbered(letter)) return kept;
  if (letter.reason === 'conflict') return standingOfConflict(letter, cursor);
  if (letter.reason === 'skipped' || isTwin(letter)) return { ...kept, decided: decidedIn(letter, decisions) };
  if (!lost.includes(letter.reason)) return kept;
  return isPresent(letter, cursor)
    ? standingInReign(letter, cursor, decisions)
    : standingInEndedReign(letter, cursor, decisions);
}

/** True when an operator's decision may have passed over the dead letter's number. */
export function mayBeDecided(letter: DeadLetter, cursor: Cursor): boolean {
  if (!isNumbered(letter) || letter.sequence > cursor.last) return false;
  if (letter.reason === 'skipped') return true;
  // Of its own reign a cursor tells itself what was skipped.
  return lost.includes(letter.reason) && (!isPresent(letter, cursor) || isSkipped(cursor, letter.sequence));
}

/** True for a refusal beside the same data, which waited: it blocked nothing. */
function isTwin({ sequence, detail, refusal }: Numbered): boolean {
  return refusal !== undefined && detail === twinDetail(sequence, refusal);
}

/** A conflict halts until a claim; not so one with a command that waits itself. */
function standingOfConflict(letter: Numbered, cursor: Cursor): DeadLetterStanding {
  if (letter.detail === rivalDetail(letter.sequence)) return kept;
  if (isPresent(letter, cursor) && cursor.halted) {
    return open(`it halts the session until a claim: number ${letter.sequence} has been taken by other data`);
  }
  return resolved(`${claimAfter(letter, cursor)} ended the halt`);
}

function standingInReign(letter: Numbered, cursor: Cursor, decisions: readonly Decision[]): DeadLetterStanding {
  const { sequence, reason } = letter;
  if (sequence < cursor.first) return kept;
  if (sequence <= cursor.last) return standingOnceUsed(letter, isSkipped(cursor, sequence), decisions);
  if (sequence > cursor.last + 1 || obstacleOf(cursor) === undefined) return kept;
  return open(
    reason === 'refused'
      ? `number ${sequence} was refused and is open: what comes after it waits`
      : `number ${sequence} is open, and this command, sent again as it is, counts as a duplicate of this dead letter`,
  );
}

function standingInEndedReign(letter: Numbered, cursor: Cursor, decisions: readonly Decision[]): DeadLetterStanding {
  const { epoch, writer, sequence, reason } = letter;
  const reign = earlierReign(cursor, epoch, writer);
  const decision = decisionAbout(letter, decisions);
  if (decision !== undefined) return standingOnceUsed(letter, true, decisions);
  if (reign === undefined) return kept;
  if (isMerged(reign)) return reason === 'refused' ? resolved('its reign ended long ago') : kept;
  if (sequence < reign.first || sequence > reign.last + 1) return kept;
  if (sequence <= reign.last) return standingOnceUsed(letter, false, decisions);
  return resolved(`${claimAfter(letter, cursor)} ended the reign in which number ${sequence} was open`);
}

/** The number was passed in the letter's own reign. */
function standingOnceUsed(
  letter: Numbered,
  isSkippedNumber: boolean,
  decisions: readonly Decision[],
): DeadLetterStanding {
  const { sequence } = letter;
  if (!isSkippedNumber) return resolved(`other data was applied under number ${sequence}`);
  const decided = decidedIn(letter, decisions);
  return resolved(`number ${sequence} was skipped by ${decided?.by ?? 'an operator'}`, decided);
}

function decidedIn(letter: Numbered, decisions: readonly Decision[]): DeadLetterStanding['decided'] {
  const decision = decisionAbout(letter, decisions);
  return decision === undefined ? undefined : { by: decision.by, reason: decision.reason };
}

function decisionAbout({ epoch, sequence }: Numbered, decisions: readonly Decision[]): Decision | undefined {
  return decisions.find((decision) => decision.epoch === epoch && decision.sequence === sequence);
}

/** The claim that ended the letter's reign, in words. */
function claimAfter({ epoch }: Numbered, cursor: Cursor): string {
  const next = cursor.earlier.find((reign) => !isMerged(reign) && reign.epoch > epoch) ?? cursor;
  const isTheNext = cursor.earlier.some((reign) => reign.epoch === epoch && !isMerged(reign));
  return isTheNext ? `the claim of epoch ${next.epoch} by ${next.writer}` : 'a later claim';
}

function isMerged({ writer }: Reign): boolean {
  return writer === undefined;
}

function isPresent({ epoch, writer }: Numbered, cursor: Cursor): boolean {
  return epoch === cursor.epoch && writer === cursor.writer;
}

function isNumbered(letter: DeadLetter): letter is Numbered {
  return letter.epoch !== undefined && letter.writer !== undefined && letter.sequence !== undefined;
}

function open(standing: string): DeadLetterStanding {
  return { state: 'open', standing, decided: undefined };
}

function resolved(standing: string, decided?: DeadLetterStanding['decided']): DeadLetterStanding {
  return { state: 'resolved', standing, decided };
}
