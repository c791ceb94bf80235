import { wireLimits } from '../command.ts';
import { initialCursor } from '../cursor.ts';
import type { Delivery, NumberedContent } from '../delivery.ts';
import type { Sequence, SessionId } from '../identifiers.ts';
import { encodeMessage } from '../message.ts';
import type { DeadLetter, FiledId, ParkedCommand, SessionChange } from '../plan.ts';
import { decide, type Outcome } from './decide.ts';
import { filedId } from './filed-id.ts';
import { deadLetterOf, decisionOf, deliveryOfParked } from './filed-record.ts';
import type { Knowledge, MissingParked, PlanResult } from './knowledge.ts';
import { parkedCommand, SessionDraft } from './session-draft.ts';
import { emptyTally } from './tally.ts';

type NumberedDelivery = Delivery & { readonly content: NumberedContent };

/**
 * Decides deliveries in order and folds what follows into one plan for an atomic commit. Pure: the same knowledge and
 * deliveries give the same plan, and where a batch is cut makes no difference. A drain always completes within the
 * batch that starts it (docs/decisions/0003); a batch that drains more than 64 MiB ends there, and the result says
 * after how many deliveries. When parked commands turn out to be needed whole, they are named instead: load them and
 * plan the same batch again.
 *
 * Deliveries may come in slices: what a slice was read into is needed no more once it is decided, and only what its
 * commands write lives on.
 */
export class BatchPlanner {
  readonly #knowledge: Knowledge;
  readonly #drafts = new Map<SessionId, SessionDraft>();
  readonly #withoutSession = new Map<FiledId, DeadLetter>();
  readonly #missing = new Map<SessionId, readonly Sequence[]>();
  readonly #tally = emptyTally();
  #parkedBytes = 0;
  #decided = 0;

  constructor(knowledge: Knowledge) {
    this.#knowledge = knowledge;
  }

  /** True once the batch has drained so much that it ends where it is. */
  get isFull(): boolean {
    return this.#parkedBytes > wireLimits.parkedBytes;
  }

  /** Decides the next deliveries, those after which the batch is full excepted. The knowledge must cover them. */
  decide(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      if (this.isFull) return;
      this.#deliver(delivery);
      this.#decided += 1;
    }
  }

  /** What follows from all that was decided. */
  result(): PlanResult {
    if (this.#missing.size > 0) return { kind: 'missing', parked: this.#missingParked() };
    const plan = { changes: this.#changes(), unreadable: [...this.#withoutSession.values()], tally: this.#tally };
    return { kind: 'planned', plan, decided: this.#decided };
  }

  #deliver(delivery: Delivery): void {
    const { session } = delivery.content;
    if (session === undefined) return this.#fileWithoutSession(delivery);
    // What a session's parked commands do is not known yet, so neither is what comes after.
    if (this.#missing.has(session)) return;
    const draft = this.#draft(session);
    this.#settle(draft, delivery, this.#isFiled(draft, delivery));
    this.#drain(draft);
  }

  #settle(draft: SessionDraft, delivery: Delivery, isFiled: boolean): void {
    const { content } = delivery;
    const parkedThere = content.kind === 'numbered' ? draft.parkedAt(content.sequence) : undefined;
    const outcome = decide({ cursor: draft.cursor, parkedThere, isFiled }, content);
    if (outcome.kind === 'duplicate') this.#tally.duplicates += 1;
    else if (outcome.kind === 'dead letter') {
      this.#tally.deadLetters[outcome.reason] += 1;
      draft.file(deadLetterOf(delivery, outcome), outcome.effect);
    } else if (content.kind === 'numbered') {
      this.#settleNumbered(draft, delivery as NumberedDelivery, outcome.kind);
    } else if (content.kind === 'claim') {
      if (!this.#fenceParked(draft)) return;
      this.#tally.claimed += 1;
      draft.claim(content);
    } else if (content.kind === 'skip') {
      this.#tally.skipped += 1;
      draft.skip(content, decisionOf(content, delivery.position));
    }
  }

  #settleNumbered(draft: SessionDraft, delivery: NumberedDelivery, kind: Outcome['kind']): void {
    const { content } = delivery;
    if (kind === 'open') {
      draft.open(content);
      this.#settle(draft, delivery, false);
    } else if (kind === 'correct') {
      this.#correct(draft, delivery);
    } else if (kind === 'park') {
      this.#park(draft, delivery);
    } else {
      this.#tally.applied += 1;
      draft.apply(content);
    }
  }

  #park(draft: SessionDraft, delivery: NumberedDelivery): void {
    this.#tally.parked += 1;
    draft.park(parkedCommand(delivery.content, delivery.position, encodeMessage(delivery.message())));
  }

  /** Beside a valid command its refused twin becomes a dead letter, whichever of the two came first. */
  #correct(draft: SessionDraft, delivery: NumberedDelivery): void {
    const { sequence } = delivery.content;
    const [twin] = this.#whole(draft, [sequence], () => [sequence]) ?? [];
    if (twin === undefined) return;
    draft.unpark(twin);
    this.#park(draft, delivery);
    this.#settle(draft, deliveryOfParked(twin), false);
  }

  #isFiled(draft: SessionDraft, { content }: Delivery): boolean {
    if (draft.cursor.filed === 0) return false;
    const id = filedId(content);
    return draft.hasJustFiled(id) || (draft.wasFiled && this.#knowledge.isFiled(draft.session, id));
  }

  /** A claim fences whatever is parked. False when the parked commands have to be loaded first. */
  #fenceParked(draft: SessionDraft): boolean {
    const sequences = draft.allParked().map((header) => header.sequence);
    const commands = this.#whole(draft, sequences, () => sequences);
    if (commands === undefined) return false;
    const outcome = { reason: 'fenced', detail: 'was parked when another writer claimed the session' } as const;
    for (const command of commands) {
      draft.unpark(command);
      this.#tally.deadLetters.fenced += 1;
      draft.file(deadLetterOf(deliveryOfParked(command), outcome), 'none');
    }
    return true;
  }

  /** Delivers parked commands again for as long as the next number is among them. */
  #drain(draft: SessionDraft): void {
    while (!draft.cursor.halted && !this.#missing.has(draft.session)) {
      const next = (draft.cursor.last + 1) as Sequence;
      if (draft.parkedAt(next) === undefined) return;
      const [command] = this.#whole(draft, [next], () => consecutiveFrom(draft, next)) ?? [];
      if (command === undefined) return;
      draft.unpark(command);
      this.#tally.drained += 1;
      // Nothing that is parked is filed as well, so a drained command skips that row.
      this.#settle(draft, deliveryOfParked(command), false);
    }
  }

  /** The parked commands whole, or undefined after noting that `wanted` has to be loaded first. */
  #whole(
    draft: SessionDraft,
    sequences: readonly Sequence[],
    wanted: () => readonly Sequence[],
  ): readonly ParkedCommand[] | undefined {
    const commands: ParkedCommand[] = [];
    for (const sequence of sequences) {
      const command = draft.justParked(sequence) ?? this.#knowledge.parkedCommand(draft.session, sequence);
      if (command === undefined) {
        this.#noteMissing(draft, wanted());
        return undefined;
      }
      commands.push(command);
    }
    for (const command of commands) this.#parkedBytes += command.bytes;
    return commands;
  }

  #noteMissing(draft: SessionDraft, sequences: readonly Sequence[]): void {
    const stored = sequences.filter((sequence) => draft.justParked(sequence) === undefined);
    this.#missing.set(draft.session, stored);
    for (const sequence of stored) this.#parkedBytes += draft.parkedAt(sequence)?.bytes ?? 0;
  }

  #fileWithoutSession(delivery: Delivery): void {
    const id = filedId(delivery.content);
    const isFiled = this.#withoutSession.has(id) || this.#knowledge.isFiled(undefined, id);
    const outcome = decide({ cursor: initialCursor, parkedThere: undefined, isFiled }, delivery.content);
    if (outcome.kind === 'dead letter') {
      this.#tally.deadLetters[outcome.reason] += 1;
      this.#withoutSession.set(id, deadLetterOf(delivery, outcome));
    } else this.#tally.duplicates += 1;
  }

  #draft(session: SessionId): SessionDraft {
    const known = this.#drafts.get(session);
    if (known !== undefined) return known;
    const draft = new SessionDraft(session, this.#knowledge.state(session));
    this.#drafts.set(session, draft);
    return draft;
  }

  #changes(): readonly SessionChange[] {
    return [...this.#drafts.values()].flatMap((draft) => draft.change() ?? []);
  }

  #missingParked(): readonly MissingParked[] {
    return [...this.#missing].map(([session, sequences]) => ({ session, sequences }));
  }
}

/** The run of parked sequences that starts at `first`. */
function consecutiveFrom(draft: SessionDraft, first: Sequence): readonly Sequence[] {
  const run: Sequence[] = [];
  for (let sequence = first; draft.parkedAt(sequence) !== undefined; sequence = (sequence + 1) as Sequence) {
    run.push(sequence);
  }
  return run;
}
