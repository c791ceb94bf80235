import { PersistenceError } from '../domain/errors.ts';
import { DeadLetters, type DeadLettersOptions } from './dead-letters.ts';
import { Decisions, type DecisionsOptions } from './decisions.ts';
import type { OperatorsPart } from './local-service.ts';

export interface OperatorsOptions extends DeadLettersOptions {
  /** By what decisions are made; undefined where there is no queue to send them to: `NOT_SUPPORTED`. */
  readonly decisions: Omit<DecisionsOptions, 'store' | 'clock'> | undefined;
}

/** The part of a service for whoever decides about dead letters. */
export function createOperators({ store, clock, decisions: means }: OperatorsOptions): OperatorsPart {
  const letters = new DeadLetters({ store, clock });
  const decisions = means === undefined ? undefined : new Decisions({ ...means, store, clock });
  return {
    listDeadLetters: (query) => letters.listDeadLetters(query),
    showDeadLetter: (id, session) => letters.showDeadLetter(id, session),
    skip: async (request) => await (decisions ?? noQueue()).skip(request),
    repair: async (request) => await (decisions ?? noQueue()).repair(request),
  };
}

function noQueue(): never {
  throw new PersistenceError(
    'NOT_SUPPORTED',
    'this service has no queue to send a decision to: decide where the worker runs',
  );
}
