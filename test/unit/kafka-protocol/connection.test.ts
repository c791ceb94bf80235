import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { Kafka } from 'kafkajs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { openCluster } from '../../../src/queues/kafka/connection/cluster.ts';
import { createKafka } from '../../../src/queues/kafka/connection/create-kafka.ts';
import { kafkaFailure } from '../../../src/queues/kafka/connection/failures.ts';
import type { KafkaConnectionOptions } from '../../../src/queues/kafka/connection/kafka-options.ts';
import {
  type KafkajsConnection,
  type KafkajsConnectionPool,
  mendConnections,
} from '../../../src/queues/kafka/connection/mend-connections.ts';

const options: KafkaConnectionOptions = {
  brokers: ['127.0.0.1:1'],
  clientId: 'test',
  connectionTimeout: 1_000,
  requestTimeout: 1_000,
};

const ignore = (): void => undefined;

type CreateCluster = (options: object) => {
  readonly connectionPoolBuilder: { build(): Promise<KafkajsConnectionPool> };
};

/** The hidden method of a client that makes the clusters of its producers, consumers and admins. */
function clusterMaker(kafka: Kafka): { readonly symbol: symbol; readonly create: CreateCluster } {
  const symbols = Object.getOwnPropertySymbols(kafka);
  const symbol = symbols.find(({ description }) => description === 'private:Kafka:createCluster');
  if (symbol === undefined) throw new Error('a client without the method');
  return { symbol, create: Reflect.get(kafka, symbol) };
}

const servers: Server[] = [];
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** A server that only accepts connections; its port. */
async function listening(): Promise<number> {
  const server = createServer((socket) => sockets.push(socket));
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

describe('making a client', () => {
  test.each(['localhost', 'localhost:', '[::1]:9092', '::1:9092', 'kafka://localhost:9092', 'a b:9092', ''])(
    'the address "%s" is refused, because kafkajs would misread it',
    (broker) => {
      expect(() => createKafka({ ...options, brokers: [broker] }, ignore)).toThrow(
        expect.objectContaining({ code: 'INVALID_CONFIGURATION' }),
      );
    },
  );

  test('a client without brokers is misuse', () => {
    expect(() => createKafka({ ...options, brokers: [] }, ignore)).toThrow(TypeError);
  });

  test('what the log throws is swallowed, and what it is told holds no secret', async () => {
    const told: string[] = [];
    const sasl = { mechanism: 'plain', username: 'canary-user', password: 'canary-password' } as const;
    const kafka = createKafka({ ...options, sasl }, (level, message) => {
      told.push(`${level}: ${message}`);
      throw new Error('the log is full');
    });
    const failure = await openCluster(kafka)
      .connect()
      .catch((error: unknown) => kafkaFailure(error, 'connecting'));
    expect(failure).toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
    expect(told.join('\n')).toMatch(/^error: .*127\.0\.0\.1:1/);
    expect(`${told.join('\n')}${String(failure)}`).not.toContain('canary');
  });
});

describe('the internals of kafkajs', () => {
  test('are those of the one version that they were read in', () => {
    expect(packageJson.dependencies.kafkajs).toBe('2.2.4');
  });

  test('that are missing are told at once', () => {
    const foreign = Object.create(null) as Kafka;
    expect(() => openCluster(foreign)).toThrow(expect.objectContaining({ code: 'UNEXPECTED' }));
    const kafka = new Kafka({ brokers: options.brokers as string[] });
    const { symbol } = clusterMaker(kafka);
    Object.assign(kafka, { [symbol]: () => ({ connect: ignore }) });
    expect(() => openCluster(kafka)).toThrow(expect.objectContaining({ code: 'UNEXPECTED' }));
  });

  test('make the clusters of producers and admins by the method that is mended', () => {
    const kafka = createKafka(options, ignore);
    const { symbol, create } = clusterMaker(kafka);
    const made = vi.fn(create);
    Object.assign(kafka, { [symbol]: made });
    kafka.admin();
    kafka.producer({ createPartitioner: () => () => 0 });
    expect(made).toHaveBeenCalledTimes(2);
  });

  test('are mended in every connection', async () => {
    const { pool } = await clusterMaker(createKafka(options, ignore)).create({}).connectionPoolBuilder.build();
    expect(pool).toHaveLength(2);
    for (const { requestQueue } of pool) expect(Object.keys(requestQueue)).toContain('scheduleCheckPendingRequests');
  });
});

describe('mended connections', () => {
  function mended(connection: KafkajsConnection): Promise<KafkajsConnectionPool> {
    const cluster = {
      connectionPoolBuilder: {
        build: async (): Promise<KafkajsConnectionPool> => ({ pool: [connection], send: async () => undefined }),
      },
    };
    mendConnections(cluster);
    return cluster.connectionPoolBuilder.build();
  }

  function connection(given: Partial<KafkajsConnection> = {}): KafkajsConnection {
    return {
      connect: async () => true,
      disconnect: async () => true,
      rejectRequests: ignore,
      requestQueue: { pending: [], scheduleCheckPendingRequests: ignore },
      ...given,
    };
  }

  test('a queue of requests wakes up only for requests that wait', async () => {
    const pending: unknown[] = [];
    const schedule = vi.fn();
    const requestQueue = { pending, scheduleCheckPendingRequests: schedule };
    await mended(connection({ requestQueue }));
    requestQueue.scheduleCheckPendingRequests();
    expect(schedule).not.toHaveBeenCalled();
    pending.push({});
    requestQueue.scheduleCheckPendingRequests();
    expect(schedule).toHaveBeenCalledOnce();
  });

  test('a connection that failed gives its socket up', async () => {
    const destroy = vi.fn();
    const failing = connection({ connect: async () => Promise.reject(new Error('too late')), socket: { destroy } });
    await mended(failing);
    await expect(failing.connect()).rejects.toThrow('too late');
    expect(destroy).toHaveBeenCalledOnce();
  });

  test('a connection of another shape is told at once', async () => {
    const foreign = { ...connection(), requestQueue: undefined };
    await expect(mended(foreign as unknown as KafkajsConnection)).rejects.toMatchObject({ code: 'UNEXPECTED' });
  });

  test('two that want a connection at the same time open one', async () => {
    const port = await listening();
    const kafka = createKafka({ ...options, brokers: [`127.0.0.1:${port}`] }, ignore);
    const { pool } = await clusterMaker(kafka).create({}).connectionPoolBuilder.build();
    const [first, second] = pool;
    if (first === undefined || second === undefined) throw new Error('no connections');
    await Promise.all([first.connect(), first.connect()]);
    await first.disconnect();
    // A third connection comes last: had there been another before it, the server would have seen that.
    await second.connect();
    await expect.poll(() => sockets.length).toBeGreaterThanOrEqual(2);
    expect(sockets.length).toBe(2);
    await second.disconnect();
  });
});

describe('a cluster', () => {
  test('that is closed while it connects leaves no connection behind, and makes none afterwards', async () => {
    const port = await listening();
    const cluster = openCluster(createKafka({ ...options, brokers: [`127.0.0.1:${port}`] }, ignore));
    const connecting = cluster.connect();
    const failure = expect(connecting).rejects.toMatchObject({ code: 'QUEUE_CLOSED' });
    // As long as only microtasks run the socket is there, and not connected yet.
    for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
    const closing = cluster.close();
    await Promise.all([failure, closing]);
    await expect(cluster.anyBroker()).rejects.toMatchObject({ code: 'QUEUE_CLOSED' });
    const [server] = servers;
    const left = async () => new Promise((resolve) => server?.getConnections((_, count) => resolve(count)));
    await expect.poll(() => sockets).toHaveLength(1);
    for (const socket of sockets) if (!socket.closed) await once(socket, 'close');
    expect(await left()).toBe(0);
  });
});

test('closed at any step of connecting, nothing that was opened stays open', async () => {
  const port = await listening();
  for (let steps = 0; steps < 60; steps += 1) {
    const kafka = createKafka({ ...options, brokers: [`127.0.0.1:${port}`] }, ignore);
    const cluster = openCluster(kafka);
    const connecting = cluster.connect().catch(ignore);
    for (let step = 0; step < steps; step += 1) await undefined;
    await cluster.close();
    await connecting;
  }
  // Whatever is connected by now was opened before it was closed, or is one of those that nobody closes.
  await expect.poll(() => sockets.every((socket) => socket.readableEnded || socket.destroyed)).toBe(true);
});
