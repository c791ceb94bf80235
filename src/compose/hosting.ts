import type { Logger } from 'pino';
import type { Configuration } from '../configuration/resolve.ts';
import type { Settings } from '../configuration/settings.ts';
import { systemClock } from '../platform/system-clock.ts';
import { type HostMode, ServiceHost } from './service-host.ts';
import { whenFree } from './standby.ts';
import type { WorkSummary } from './worker.ts';

export type { HostMode };

export interface HostingRequest {
  readonly configuration: Configuration<Settings>;
  readonly mode: HostMode;
  /** True to wait for what another process has open, and to take over when that ends. */
  readonly standby: boolean;
  readonly logger: Logger;
  /** Ends everything in order. */
  readonly interruption: AbortSignal;
  /** Called once requests are taken, with the URL of the API. */
  readonly onListening: (url: string) => void;
}

/**
 * Runs a host until it is interrupted, and resolves with what its worker did. Rejects with what kept it from starting,
 * or made it end.
 */
export async function host(request: HostingRequest): Promise<WorkSummary | undefined> {
  await using opened = await openInTurn(() => ServiceHost.open(request), request);
  request.onListening(opened.url);
  return await opened.runUntil(request.interruption);
}

/** What `open` opens: at once, or, standing by, as soon as no other process owns it. */
export function openInTurn<Opened>(
  open: () => Promise<Opened>,
  { logger, interruption, standby }: Pick<HostingRequest, 'logger' | 'interruption' | 'standby'>,
): Promise<Opened> {
  if (!standby) return open();
  const onWaiting = (because: string): void => logger.info({ because }, 'standing by');
  return whenFree(open, { clock: systemClock, signal: interruption, onWaiting });
}
