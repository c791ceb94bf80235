import type { SessionId } from '../domain/identifiers.ts';
import type { DocumentKind } from './keys.ts';

/** What a session is given: one command of the queue. `reply` tells how success is answered. */
export type Write =
  | { readonly kind: 'create'; readonly session: SessionId }
  | { readonly kind: 'append'; readonly session: SessionId; readonly entry: Uint8Array }
  | { readonly kind: 'save'; readonly session: SessionId; readonly snapshot: Uint8Array }
  | {
      readonly kind: 'receipt';
      readonly session: SessionId;
      readonly receipt: Uint8Array;
      readonly reply: 'integer' | 'OK or null';
    }
  | { readonly kind: 'anchor'; readonly session: SessionId; readonly anchor: Uint8Array }
  | {
      readonly kind: 'replace';
      readonly session: SessionId;
      /** The entries of each RPUSH: one reply each. */
      readonly pushes: readonly (readonly Uint8Array[])[];
    }
  | {
      readonly kind: 'delete';
      readonly session: SessionId;
      /** What each DEL names: one reply each, before that of the SREM. */
      readonly deletions: readonly (readonly DocumentKind[])[];
    };

/** What is read of the store. */
export type Read =
  | { readonly kind: 'list' }
  | { readonly kind: 'get'; readonly session: SessionId; readonly document: Exclude<DocumentKind, 'log'> }
  | { readonly kind: 'range'; readonly session: SessionId; readonly start: bigint; readonly stop: bigint }
  | { readonly kind: 'exists'; readonly keys: readonly ExistingKey[] };

export type ExistingKey = { readonly kind: 'index' } | { readonly kind: DocumentKind; readonly session: SessionId };

/** DEL and SREM, which mean something only together: see `Deletion`. */
export type DeletionPart =
  | { readonly kind: 'DEL'; readonly session: SessionId; readonly documents: readonly DocumentKind[] }
  | { readonly kind: 'SREM'; readonly session: SessionId };

export type Operation = Write | Read | DeletionPart;

/** A request that nothing is done for, and why, in a sentence for whoever sent it. */
export interface Refused {
  readonly kind: 'refused';
  readonly because: string;
}

export function refused(because: string): Refused {
  return { kind: 'refused', because };
}

const writeKinds: ReadonlySet<string> = new Set<Write['kind']>([
  'create',
  'append',
  'save',
  'receipt',
  'anchor',
  'replace',
  'delete',
]);

export function isWrite(operation: Operation): operation is Write {
  return writeKinds.has(operation.kind);
}
