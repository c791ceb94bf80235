import { PersistenceError } from '../../../domain/errors.ts';

/** The parts of kafkajs's connection that are mended or used here. */
export interface KafkajsConnection {
  connect(): Promise<unknown>;
  disconnect(): Promise<unknown>;
  rejectRequests(error: Error): void;
  /** There once it was connected for the first time. */
  readonly socket?: { destroy(): unknown } | undefined;
  readonly requestQueue: KafkajsRequestQueue;
}

interface KafkajsRequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

/** kafkajs's two connections to one broker: the second is for Fetch alone. */
export interface KafkajsConnectionPool {
  readonly pool: readonly KafkajsConnection[];
  send(request: unknown): Promise<unknown>;
}

interface KafkajsConnectionPoolBuilder {
  build(destination?: unknown): Promise<KafkajsConnectionPool>;
}

/** The part of a kafkajs cluster that makes its connections. */
export interface KafkajsConnecting {
  readonly connectionPoolBuilder: KafkajsConnectionPoolBuilder;
}

/** What to say when kafkajs is not the version that this was written for. */
export function foreignInternals(what: string): PersistenceError {
  return new PersistenceError(
    'UNEXPECTED',
    `kafkajs is not as expected (${what}): exactly the version that package.json names has to be installed`,
  );
}

/**
 * Mends, in every connection that `cluster` will make, what kafkajs 2.2.4 gets wrong and nobody releases a mend for:
 *
 * - a request queue with nothing waiting wakes up every millisecond for ever, which costs an idle process its rest and
 *   prints TimeoutNegativeWarning on Node.js 24 (kafkajs issues 1704 and 1751);
 * - two requests that find the second connection closed open it twice, and the first socket is never closed;
 * - a connection that took too long is given up, but its socket is kept, and wakes the connection up when it stands.
 */
export function mendConnections(cluster: KafkajsConnecting): void {
  const builder = cluster.connectionPoolBuilder;
  if (typeof builder?.build !== 'function') throw foreignInternals('a cluster without a builder of connections');
  const build = builder.build.bind(builder);
  const mended = async (destination?: unknown): Promise<KafkajsConnectionPool> => {
    const pool = await build(destination);
    if (!Array.isArray(pool?.pool)) throw foreignInternals('a broker without its connections');
    for (const connection of pool.pool) {
      mendConnection(connection);
      refuseOnceRefused(connection, () => (builder.build === mended ? undefined : builder.build(destination)));
    }
    return pool;
  };
  builder.build = mended;
}

function mendConnection(connection: KafkajsConnection): void {
  const { requestQueue } = connection;
  if (
    typeof connection.connect !== 'function' ||
    typeof connection.rejectRequests !== 'function' ||
    typeof requestQueue?.scheduleCheckPendingRequests !== 'function' ||
    !Array.isArray(requestQueue.pending)
  ) {
    throw foreignInternals('a connection without its queue of requests');
  }
  const schedule = requestQueue.scheduleCheckPendingRequests.bind(requestQueue);
  requestQueue.scheduleCheckPendingRequests = () => {
    if (requestQueue.pending.length > 0) schedule();
  };
  const connect = connection.connect.bind(connection);
  let connecting: Promise<unknown> | undefined;
  connection.connect = () => {
    connecting ??= connect()
      .catch((error: unknown) => {
        connection.socket?.destroy();
        throw error;
      })
      .finally(() => {
        connecting = undefined;
      });
    return connecting;
  };
}

/** Asked at every try, because a cluster that was just made a connection has not noted it yet: nobody could find it. */
function refuseOnceRefused(connection: KafkajsConnection, refusal: () => Promise<unknown> | undefined): void {
  const connect = connection.connect;
  connection.connect = () => refusal() ?? connect();
}

/**
 * Has `cluster`, and the connections that it has made, make no connection any more: every try rejects with `reason()`.
 * Otherwise kafkajs, disconnected while it connects, takes that for a failure and connects to the next broker, over a
 * connection that nobody ever closes. Its connections were {@link mendConnections mended} before.
 */
export function refuseConnections(cluster: KafkajsConnecting, reason: () => Error): void {
  cluster.connectionPoolBuilder.build = () => Promise.reject(reason());
}
