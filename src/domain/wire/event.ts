import { isUtf8 } from 'node:buffer';
import type { Refusal } from '../delivery.ts';
import { isAscii, shown } from './bytes.ts';

/** The one version of CloudEvents that is understood. */
export const specVersion = '1.0';

/** CloudEvents attributes that every command carries. */
export const requiredAttributes = ['specversion', 'id', 'source', 'type', 'subject'] as const;
/** Our own extension attributes: a command's number and the number of its writer's reign, in decimal. */
export const numberingAttributes = ['macpsequence', 'macpepoch'] as const;
/** CloudEvents attributes that a command may carry and that mean something here. Any other is allowed and ignored. */
export const optionalAttributes = ['time', 'datacontenttype', 'traceparent'] as const;

export type AttributeName =
  | (typeof requiredAttributes)[number]
  | (typeof numberingAttributes)[number]
  | (typeof optionalAttributes)[number];

/**
 * The attributes of one event as bytes, whichever content mode they came in, before anybody asks what they say. One
 * that was sent empty or more than once is {@link unusable}, so that it never passes for an absent or valid one.
 */
export interface EventAttributes {
  specversion: Uint8Array | undefined;
  id: Uint8Array | undefined;
  source: Uint8Array | undefined;
  type: Uint8Array | undefined;
  subject: Uint8Array | undefined;
  time: Uint8Array | undefined;
  datacontenttype: Uint8Array | undefined;
  traceparent: Uint8Array | undefined;
  /** The trace context of a message, beside that of the event. */
  traceHeader: Uint8Array | undefined;
  macpsequence: Uint8Array | undefined;
  macpepoch: Uint8Array | undefined;
  /** Names of the other attributes, to notice a repeated one. */
  others: Set<string> | undefined;
  /** True for an event in a keyed message, of which the key must be the session id. */
  keyed: boolean;
  key: Uint8Array | undefined;
  /** The first thing that was wrong while the attributes were collected. */
  problem: Refusal | undefined;
}

/** What stands for a value that cannot be used: no attribute may be empty. */
export const unusable: Uint8Array = new Uint8Array(0);

export function emptyEvent(): EventAttributes {
  return {
    specversion: undefined,
    id: undefined,
    source: undefined,
    type: undefined,
    subject: undefined,
    time: undefined,
    datacontenttype: undefined,
    traceparent: undefined,
    traceHeader: undefined,
    macpsequence: undefined,
    macpepoch: undefined,
    others: undefined,
    keyed: false,
    key: undefined,
    problem: undefined,
  };
}

/**
 * What an attribute is after `value` was sent for it: the value if it is the first one and not empty. Otherwise
 * {@link unusable}, with the problem noted.
 */
export function received(
  event: EventAttributes,
  name: string,
  before: Uint8Array | undefined,
  value: Uint8Array,
): Uint8Array {
  if (before !== undefined) {
    event.problem ??= { code: 'REPEATED_ATTRIBUTE', message: `the attribute ${shown(name)} stands more than once` };
    return unusable;
  }
  if (value.length === 0) {
    event.problem ??= { code: 'INVALID_ATTRIBUTE', message: `the attribute ${shown(name)} is empty` };
    return unusable;
  }
  return value;
}

/** {@link received} for an attribute whose value nobody reads any further: it must at least be UTF-8. */
export function receivedText(
  event: EventAttributes,
  name: string,
  before: Uint8Array | undefined,
  value: Uint8Array,
): Uint8Array {
  const text = received(event, name, before, value);
  if (isAscii(text) || isUtf8(text)) return text;
  event.problem ??= { code: 'INVALID_ATTRIBUTE', message: `the attribute ${shown(name)} is not UTF-8` };
  return unusable;
}

/** Takes note of an attribute that means nothing here; it must still be well-formed and stand once. */
export function receivedOther(event: EventAttributes, name: string, value: Uint8Array): void {
  event.others ??= new Set();
  receivedText(event, name, event.others.has(name) ? unusable : undefined, value);
  event.others.add(name);
}
