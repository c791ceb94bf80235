import type { Cursor } from '../../../src/domain/cursor.ts';
import type { Delivery } from '../../../src/domain/delivery.ts';
import type { Sequence, SessionId } from '../../../src/domain/identifiers.ts';
import type { DeadLetter, FiledId, FiledRecord, ParkedCommand, Plan, SessionChange } from '../../../src/domain/plan.ts';
import type { Knowledge, PlanResult, SessionState } from '../../../src/domain/rule/knowledge.ts';

/** The function under test, or a mutant of it. */
export type PlanBatch = (knowledge: Knowledge, deliveries: readonly Delivery[]) => PlanResult;

export interface StoredSession {
  readonly cursor: Cursor;
  readonly log: readonly Uint8Array[];
  readonly snapshot: Uint8Array | undefined;
  readonly receipt: Uint8Array | undefined;
  readonly anchor: Uint8Array | undefined;
  readonly parked: ReadonlyMap<Sequence, ParkedCommand>;
  readonly filed: ReadonlyMap<FiledId, FiledRecord>;
}

/** Plans folded onto maps: no store adapter, nothing but what a plan says. It refuses a plan that contradicts it. */
export class PlanStore {
  readonly sessions = new Map<SessionId, StoredSession>();
  readonly homeless = new Map<FiledId, DeadLetter>();

  /** Plans the deliveries in order, batch by batch, and applies each plan; `cuts` are the ends of batches. */
  take(planBatch: PlanBatch, deliveries: readonly Delivery[], cuts: readonly number[] = []): readonly Plan['tally'][] {
    const ends = [...new Set([...cuts.filter((cut) => cut > 0 && cut < deliveries.length), deliveries.length])];
    ends.sort((one, other) => one - other);
    const tallies: Plan['tally'][] = [];
    let from = 0;
    for (const end of ends) {
      while (from < end) {
        const { plan, decided } = this.#plan(planBatch, deliveries.slice(from, end));
        this.#apply(plan);
        tallies.push(plan.tally);
        from += decided;
      }
    }
    return tallies;
  }

  /** As a pipeline does: parked commands are loaded whole only once the rule asks for them. */
  #plan(planBatch: PlanBatch, deliveries: readonly Delivery[]): Extract<PlanResult, { kind: 'planned' }> {
    const loaded = new Map<string, ParkedCommand>();
    const knowledge: Knowledge = {
      state: (session) => this.#state(session),
      isFiled: (session, id) => this.#isFiled(session, id),
      parkedCommand: (session, sequence) => loaded.get(`${sequence} ${session}`),
    };
    for (let attempts = 0; attempts <= deliveries.length * 2; attempts += 1) {
      const result = planBatch(knowledge, deliveries);
      if (result.kind === 'planned') {
        if (result.decided < 1) throw new RangeError('a plan that decides nothing never ends');
        return result;
      }
      for (const { session, sequences } of result.parked) {
        for (const sequence of sequences) loaded.set(`${sequence} ${session}`, this.#parkedCommand(session, sequence));
      }
    }
    throw new RangeError('parked commands are asked for again and again');
  }

  #parkedCommand(session: SessionId, sequence: Sequence): ParkedCommand {
    const command = this.sessions.get(session)?.parked.get(sequence);
    if (command === undefined) throw new RangeError(`command ${sequence} of ${session} is wanted and not parked`);
    return command;
  }

  #state(session: SessionId): SessionState {
    const stored = this.sessions.get(session);
    return { cursor: stored?.cursor, parked: stored?.parked ?? new Map() };
  }

  #isFiled(session: SessionId | undefined, id: FiledId): boolean {
    return session === undefined ? this.homeless.has(id) : (this.sessions.get(session)?.filed.has(id) ?? false);
  }

  #apply(plan: Omit<Plan, 'positions'>): void {
    for (const letter of plan.unreadable) addOnce(this.homeless, letter.id, letter);
    for (const change of plan.changes) {
      const stored = this.sessions.get(change.session);
      if (change.before?.version !== stored?.cursor.version) throw new RangeError('decided on another cursor');
      if (change.after.version <= (stored?.cursor.version ?? 0)) throw new RangeError('a change leaves no trace');
      this.sessions.set(change.session, changed(stored, change));
    }
  }
}

function changed(stored: StoredSession | undefined, change: SessionChange): StoredSession {
  const kept = change.log?.reset === true ? [] : (stored?.log ?? []);
  const parked = new Map(stored?.parked);
  for (const sequence of change.unparked) {
    if (!parked.delete(sequence)) throw new RangeError(`command ${sequence} was not parked`);
  }
  for (const command of change.parked) addOnce(parked, command.sequence, command);
  const filed = new Map(stored?.filed);
  for (const record of change.filed) addOnce(filed, record.id, record);
  return {
    cursor: structuredClone(change.after),
    log: [...kept, ...(change.log?.entries ?? [])],
    snapshot: replaced(stored?.snapshot, change.snapshot),
    receipt: replaced(stored?.receipt, change.receipt),
    anchor: replaced(stored?.anchor, change.anchor),
    parked,
    filed,
  };
}

function addOnce<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void {
  if (map.has(key)) throw new RangeError(`${String(key)} is there already`);
  map.set(key, value);
}

function replaced(before: Uint8Array | undefined, change: Uint8Array | 'remove' | undefined): Uint8Array | undefined {
  if (change === undefined) return before;
  return change === 'remove' ? undefined : change;
}
