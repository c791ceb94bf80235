import type { SessionId } from '../domain/identifiers.ts';
import { partialSource } from '../domain/partial-source.ts';
import type { SourceId } from '../domain/plan.ts';
import type { QueuedDelivery } from '../ports/queue.ts';

/** Which sessions are built: those named, or all whose ids begin with a text. */
export type Selection = { readonly ids: ReadonlySet<string> } | { readonly prefix: string };

/** The name under which a store that holds the selected sessions only notes its positions. */
export function selectedSource(source: SourceId, selection: Selection): SourceId {
  const part = 'prefix' in selection ? ['prefix', selection.prefix] : ['ids', ...[...selection.ids].sort()];
  return partialSource(source, JSON.stringify(part));
}

/** The deliveries, in which those of other sessions, and of none, count for their positions only. */
export function select(deliveries: readonly QueuedDelivery[], selection: Selection): readonly QueuedDelivery[] {
  return deliveries.map((delivery) => (isSelected(delivery, selection) ? delivery : new PassedDelivery(delivery)));
}

function isSelected(delivery: QueuedDelivery, selection: Selection): boolean {
  if (delivery.isPassed === true) return true;
  const { session } = delivery.content;
  return session !== undefined && selects(selection, session);
}

/** Whether a session is among those selected. */
export function selects(selection: Selection, session: SessionId): boolean {
  return 'prefix' in selection ? session.startsWith(selection.prefix) : selection.ids.has(session);
}

/** A delivery that is none of ours. */
class PassedDelivery implements QueuedDelivery {
  readonly isPassed = true;
  readonly #delivery: QueuedDelivery;

  constructor(delivery: QueuedDelivery) {
    this.#delivery = delivery;
  }

  get content(): QueuedDelivery['content'] {
    return this.#delivery.content;
  }

  get position(): QueuedDelivery['position'] {
    return this.#delivery.position;
  }

  get bytes(): number {
    return this.#delivery.bytes;
  }

  message(): ReturnType<QueuedDelivery['message']> {
    return this.#delivery.message();
  }

  recordDigest(): ReturnType<QueuedDelivery['recordDigest']> {
    return this.#delivery.recordDigest();
  }
}
