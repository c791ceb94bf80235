import { Cluster, type Redis } from 'ioredis';

/** Told what is said on a channel. */
export interface SubscriptionListener {
  said(message: string): void;
  /** From now on everything is heard; what was said before may not have been. */
  connected(): void;
}

export interface Subscription {
  /** Idempotent. */
  close(): Promise<void>;
}

/** Listens on a channel with a connection of its own, to where `client` is connected; it connects again by itself. */
export function subscribe(client: Redis | Cluster, channel: string, listener: SubscriptionListener): Subscription {
  // Nothing may be said for hours: no answer is waited for.
  const untimed = { socketTimeout: undefined, commandTimeout: undefined, autoResubscribe: false };
  const own = client instanceof Cluster ? client.duplicate() : client.duplicate(untimed);
  // What the connection goes through is told by the other one.
  own.on('error', () => undefined);
  own.on('message', (_: string, message: string) => listener.said(message));
  const listen = (): void => {
    own.subscribe(channel).then(
      () => listener.connected(),
      () => undefined,
    );
  };
  own.on('ready', listen);
  own.connect().catch(() => undefined);
  return {
    async close() {
      own.disconnect();
    },
  };
}
