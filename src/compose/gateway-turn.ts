import type { Logger } from 'pino';
import type { Values } from '../configuration/settings.ts';
import { openStoreLease, storeAddress } from './open.ts';

export interface GatewayTurnOptions {
  readonly values: Values;
  readonly logger: Logger;
  /** True to wait until no other gateway of the same prefix has its turn; else it is taken from whoever has it. */
  readonly standby: boolean;
  readonly signal: AbortSignal;
}

/**
 * The turn of one gateway among those that share a store: it lasts until it is disposed of. That only says who goes first:
 * whoever goes on after its turn is shut out of the queue by the next one. Undefined where the store belongs to one
 * process: its lock decides. Rejects with `ABORTED` once `signal` is aborted while it waits.
 */
export async function gatewayTurn({
  values,
  logger,
  standby,
  signal,
}: GatewayTurnOptions): Promise<AsyncDisposable | undefined> {
  const office = await openStoreLease(storeAddress(values), values, {
    name: `gateway:${values['gateway.prefix']}`,
    lasts: values['gateway.leaseTime'],
    onLost: () => logger.warn('another gateway has taken the turn of this one'),
  });
  if (office === undefined) return undefined;
  const onWaiting = (): void => logger.info({ because: 'another gateway has its turn' }, 'standing by');
  try {
    const lease = standby ? await office.takeWhenFree(signal, onWaiting) : await office.take();
    return {
      async [Symbol.asyncDispose]() {
        await lease.release();
        await office.close();
      },
    };
  } catch (error) {
    await office.close();
    throw error;
  }
}
