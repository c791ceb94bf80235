import type { Clock } from '../../ports/clock.ts';
import type { Service } from '../../ports/service.ts';
import type { SessionWatch } from '../../ports/session-watch.ts';
import type { AccessHooks } from '../access.ts';
import type { BodyBudget } from '../body-budget.ts';
import type { TellFailure } from '../failure-log.ts';
import type { Scope } from '../known-tokens.ts';

/** What the routes work with. */
export interface RouteContext {
  readonly service: Service;
  readonly areFiled: SessionWatch['areFiled'];
  readonly clock: Clock;
  readonly access: Readonly<Record<Scope, AccessHooks>>;
  readonly budget: BodyBudget;
  /** Largest body, in bytes. */
  readonly bodyBytes: number;
  readonly tellFailure: TellFailure;
  /** Aborted once the server drains: what would go on without end has to end. */
  readonly ending: AbortSignal;
}
