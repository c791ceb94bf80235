import type { Command } from '../domain/command.ts';
import type { Writer } from '../domain/identifiers.ts';
import { type InputEvent, readNumbered, readUnnumbered, type UnnumberedCommand } from './input-event.ts';
import { EventsRefused, type RefusedEvent } from './refused-events.ts';

/** Events that are sent together: as they are, or numbered first. */
export type ReadEvents =
  | { readonly kind: 'numbered'; readonly commands: readonly Command[] }
  | { readonly kind: 'unnumbered'; readonly commands: readonly UnnumberedCommand[] };

const mixed = {
  numbered: 'the event carries no number, and others of the same request do',
  unnumbered: 'the event is numbered, a claim or a decision, and others of the same request carry no number',
} as const;

/**
 * Reads the events of a request, in structured mode: either all are sent as they are, or all are numbered by `writer`.
 * Throws {@link EventsRefused} unless every one can be sent.
 */
export function readEvents(texts: readonly Uint8Array[], writer: Writer): ReadEvents {
  const events = texts.map(readNumbered);
  const isUnnumbered =
    events.some(({ kind }) => kind === 'misnumbered') && !events.some(({ kind }) => kind === 'sendable');
  if (!isUnnumbered) return { kind: 'numbered', commands: sendable(events, mixed.numbered) };
  const unnumbered = texts.map((text) => readUnnumbered(text, writer));
  return { kind: 'unnumbered', commands: sendable(unnumbered, mixed.unnumbered) };
}

function sendable<Sendable>(events: readonly InputEvent<Sendable>[], whenMixed: string): readonly Sendable[] {
  const commands: Sendable[] = [];
  const refused: RefusedEvent[] = [];
  for (const [index, event] of events.entries()) {
    if (event.kind === 'sendable') commands.push(event.command);
    else if (event.kind === 'misnumbered') refused.push({ index, code: 'MIXED_EVENTS', detail: whenMixed });
    else refused.push({ index, code: event.refusal.code, detail: event.refusal.message });
  }
  const [first, ...others] = refused;
  if (first !== undefined) throw new EventsRefused([first, ...others]);
  return commands;
}
