import type { Logger } from 'pino';
import type { Configuration } from '../configuration/resolve.ts';
import type { Settings } from '../configuration/settings.ts';
import { PersistenceError } from '../domain/errors.ts';
import { systemClock } from '../platform/system-clock.ts';
import { gatewayTurn } from './gateway-turn.ts';
import type { HostMode } from './open-parts.ts';
import { isLocked } from './owner.ts';
import { readServiceAddress } from './service-file.ts';
import { ServiceHost } from './service-host.ts';
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
  const { mode, logger, standby, interruption, configuration } = request;
  const { values } = configuration;
  const { dataDir } = values;
  const isGateway = values['gateway.port'] !== undefined && (mode === 'start' || mode === 'gateway');
  await using _turn = isGateway ? await gatewayTurn({ values, logger, standby, signal: interruption }) : undefined;
  await using opened = await openInTurn(() => ServiceHost.open(request), { ...request, dataDir });
  request.onListening(opened.url);
  return await opened.runUntil(request.interruption);
}

/** Whose turn it is. */
export interface Turn extends Pick<HostingRequest, 'logger' | 'interruption' | 'standby'> {
  /** Where the owner of what is locked may have left its address. */
  readonly dataDir: string;
}

/** What `open` opens: at once, or, standing by, as soon as no other process owns it. */
export function openInTurn<Opened>(
  open: () => Promise<Opened>,
  { logger, interruption, standby, dataDir }: Turn,
): Promise<Opened> {
  if (!standby) return open().catch((error: unknown) => tellOwner(error, dataDir));
  const onWaiting = (because: string): void => logger.info({ because }, 'standing by');
  return whenFree(open, { clock: systemClock, signal: interruption, onWaiting });
}

/** Throws `error`; where it says that another process owns what was to be opened, with which one, and what helps. */
async function tellOwner(error: unknown, dataDir: string): Promise<never> {
  const owner = isLocked(error) ? await readServiceAddress(dataDir) : undefined;
  if (!isLocked(error) || owner === undefined) throw error;
  const message = `${error.message}; process ${owner.pid} has left its address (${owner.url}) in ${dataDir}: --standby takes over when it ends`;
  throw new PersistenceError(error.code, message, { cause: error.cause });
}
