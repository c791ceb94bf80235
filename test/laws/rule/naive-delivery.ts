import type { NumberedType } from '../../../src/domain/command.ts';

/** A write, in the words of the naive model. */
export interface NumberedDelivery {
  readonly kind: 'numbered';
  readonly session: string;
  readonly writer: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly type: NumberedType;
  readonly data: string;
  readonly valid: boolean;
  /** Its data is right, but not what stands beside it: it is not valid for an attribute only. */
  readonly fault: Fault | undefined;
}

/** The event id is not the one that it must have; the message has no key. Each is refused with a code of its own. */
export type Fault = 'misnamed' | 'unkeyed';

export interface ClaimDelivery {
  readonly kind: 'claim';
  readonly session: string;
  readonly writer: string;
  readonly epoch: number;
}

export interface SkipDelivery {
  readonly kind: 'skip';
  readonly session: string;
  /** The event's id. */
  readonly id: string;
  readonly epoch: number;
  readonly sequence: number;
}

export interface UnreadableDelivery {
  readonly kind: 'unreadable';
  readonly session: string | undefined;
  /** The whole message. */
  readonly text: string;
}

export type NaiveDelivery = NumberedDelivery | ClaimDelivery | SkipDelivery | UnreadableDelivery;

/** What makes two deliveries the same: the session is left out, because everything is kept by session. */
export function identity(delivery: NaiveDelivery): string {
  switch (delivery.kind) {
    case 'numbered':
      return `${delivery.epoch} ${delivery.writer} ${delivery.sequence} ${delivery.type} ${delivery.data} ${delivery.fault ?? ''}`;
    case 'claim':
      return `${delivery.epoch} ${delivery.writer} claim`;
    case 'skip':
      return `decision ${delivery.id}`;
    case 'unreadable':
      return `unreadable ${delivery.text}`;
  }
}
