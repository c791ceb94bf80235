import type { Kafka } from 'kafkajs';
import { PersistenceError } from '../../../domain/errors.ts';
import type { ProtocolRequest } from '../protocol/protocol-request.ts';
import {
  foreignInternals,
  type KafkajsConnecting,
  type KafkajsConnectionPool,
  mendConnections,
  refuseConnections,
} from './mend-connections.ts';

/**
 * The one place where kafkajs's connection layer is used beneath its public interface: connections, TLS, SASL, the
 * brokers' versions, coordinators and the group protocol, without kafkajs's consumer. Written for kafkajs 2.2.4, and
 * held by tests; what is missing is told as `UNEXPECTED`. Everything below rejects with what kafkajs throws: see
 * `kafkaFailure`.
 */
export interface KafkaBroker {
  readonly nodeId: number | null;
  /** By the keys of the requests, which versions of them it speaks; known once it is connected. */
  readonly versions: Readonly<Record<number, { readonly maxVersion: number } | undefined>> | null;
  readonly connectionPool: KafkajsConnectionPool;
  isConnected(): boolean;
  disconnect(): Promise<void>;
  /** Answers once all members have joined, at the latest after the rebalance timeout, and holds back what follows it. */
  joinGroup(request: JoinGroupRequest): Promise<JoinedGroup>;
  syncGroup(request: SyncGroupRequest): Promise<{ readonly memberAssignment: Buffer }>;
  heartbeat(request: GroupMember): Promise<unknown>;
  leaveGroup(request: { readonly groupId: string; readonly memberId: string }): Promise<unknown>;
  offsetCommit(request: GroupMember & { readonly topics: readonly TopicOffsets[] }): Promise<unknown>;
  offsetFetch(request: OffsetFetchRequest): Promise<FetchedOffsets>;
}

/** A member of a group in one of its generations. */
export interface GroupMember {
  readonly groupId: string;
  readonly groupGenerationId: number;
  readonly memberId: string;
}

export interface JoinGroupRequest {
  readonly groupId: string;
  /** Empty for a new member: it gets an id and joins with that. */
  readonly memberId: string;
  /** Milliseconds without a heartbeat after which a member counts as dead. */
  readonly sessionTimeout: number;
  /** Milliseconds that members have to join again when the group changes. */
  readonly rebalanceTimeout: number;
  readonly groupProtocols: readonly { readonly name: string; readonly metadata: Buffer }[];
}

export interface JoinedGroup {
  readonly generationId: number;
  readonly groupProtocol: string;
  readonly leaderId: string;
  readonly memberId: string;
  /** Told to the leader only. */
  readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[];
}

export interface SyncGroupRequest {
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string;
  /** From the leader only. */
  readonly groupAssignment: readonly { readonly memberId: string; readonly memberAssignment: Buffer }[];
}

/** Offsets in decimal, the next one to consume of each partition. */
export interface TopicOffsets {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly offset: string }[];
}

export interface OffsetFetchRequest {
  readonly groupId: string;
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number }[];
  }[];
}

/** `-1` where nothing was committed. */
export interface FetchedOffsets {
  readonly responses: readonly TopicOffsets[];
}

/** Where one partition lies, as kafkajs last learned it. */
export interface PartitionLeader {
  readonly partitionId: number;
  readonly partitionErrorCode: number;
  /** Node id, or -1 where there is none at present. */
  readonly leader: number;
}

interface KafkajsBrokerPool {
  readonly brokers: Readonly<Record<string, KafkaBroker>>;
  readonly seedBroker: KafkaBroker | undefined;
  findConnectedBroker(): Promise<KafkaBroker>;
}

interface KafkajsCluster extends KafkajsConnecting {
  readonly brokerPool: KafkajsBrokerPool;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadata(): Promise<void>;
  findTopicPartitionMetadata(topic: string): readonly PartitionLeader[];
  findBroker(request: { readonly nodeId: number }): Promise<KafkaBroker>;
  findGroupCoordinator(request: { readonly groupId: string }): Promise<KafkaBroker>;
}

type CreateCluster = (options: object) => KafkajsCluster;

const readCommitted = 1;
const metadataMaxAge = 300_000;

/** Makes `kafka` mend the connections of every cluster it makes: those of its producers and admins too. */
export function mendClusters(kafka: Kafka): void {
  const [internals, symbol] = clusterMaker(kafka);
  const create = internals[symbol];
  if (create === undefined) throw foreignInternals('no way to make a cluster');
  internals[symbol] = (options) => {
    const cluster = create.call(kafka, options);
    mendConnections(cluster);
    return cluster;
  };
}

/** A set of connections of its own, not connected yet. */
export function openCluster(kafka: Kafka): KafkaCluster {
  const [internals, symbol] = clusterMaker(kafka);
  const cluster = internals[symbol]?.({ metadataMaxAge, allowAutoTopicCreation: false, isolationLevel: readCommitted });
  if (cluster === undefined) throw foreignInternals('no way to make a cluster');
  for (const method of usedMethods) {
    if (typeof cluster[method] !== 'function') throw foreignInternals(`a cluster without ${method}`);
  }
  if (typeof cluster.brokerPool?.findConnectedBroker !== 'function')
    throw foreignInternals('a cluster without brokers');
  return new KafkaCluster(cluster);
}

const usedMethods = [
  'connect',
  'disconnect',
  'addTargetTopic',
  'refreshMetadata',
  'findTopicPartitionMetadata',
  'findBroker',
  'findGroupCoordinator',
] as const;

function clusterMaker(kafka: Kafka): readonly [Record<symbol, CreateCluster | undefined>, symbol] {
  const symbols = Object.getOwnPropertySymbols(kafka);
  const symbol = symbols.find(({ description }) => description === 'private:Kafka:createCluster');
  if (symbol === undefined) throw foreignInternals('no way to make a cluster');
  return [kafka as unknown as Record<symbol, CreateCluster | undefined>, symbol];
}

/** The connections to the brokers of one Kafka cluster. */
export class KafkaCluster implements AsyncDisposable {
  readonly #cluster: KafkajsCluster;
  #isClosed = false;

  constructor(cluster: KafkajsCluster) {
    this.#cluster = cluster;
  }

  /** Connects to one of the brokers named in the options. */
  connect(): Promise<void> {
    return this.#answered(this.#cluster.connect());
  }

  /** Has this topic's partitions looked after from now on, and asks for them. */
  addTargetTopic(topic: string): Promise<void> {
    return this.#answered(this.#cluster.addTargetTopic(topic));
  }

  /** Asks anew which brokers there are and who leads the partitions of the target topics. */
  refreshMetadata(): Promise<void> {
    return this.#answered(this.#cluster.refreshMetadata());
  }

  findTopicPartitionMetadata(topic: string): readonly PartitionLeader[] {
    return this.#cluster.findTopicPartitionMetadata(topic);
  }

  /** The broker with this number, connected. */
  findBroker(nodeId: number): Promise<KafkaBroker> {
    return this.#answered(this.#cluster.findBroker({ nodeId }));
  }

  /** Any broker that is connected, or can be. */
  anyBroker(): Promise<KafkaBroker> {
    return this.#answered(this.#cluster.brokerPool.findConnectedBroker());
  }

  findGroupCoordinator(groupId: string): Promise<KafkaBroker> {
    return this.#answered(this.#cluster.findGroupCoordinator({ groupId }));
  }

  /**
   * Sends a request to this broker. A Fetch has a connection of its own; on the other one, as on every connection to
   * Kafka, a request is answered only after those before it.
   */
  send<Response>(broker: KafkaBroker, request: ProtocolRequest<Response>): Promise<Response> {
    return this.#answered(this.#send(broker, request));
  }

  /** Ends every request under way with `QUEUE_CLOSED`, instead of waiting for them, and all connections. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const { seedBroker, brokers } = this.#cluster.brokerPool;
    const known = [...(seedBroker === undefined ? [] : [seedBroker]), ...Object.values(brokers)];
    const connections = known.flatMap(({ connectionPool }) => connectionPool.pool);
    refuseConnections(this.#cluster, closed);
    for (const connection of connections) connection.rejectRequests(closed());
    await this.#cluster.disconnect();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #send<Response>(broker: KafkaBroker, request: ProtocolRequest<Response>): Promise<Response> {
    try {
      return (await broker.connectionPool.send(kafkajsRequest(request))) as Response;
    } catch (error) {
      // As kafkajs does for its own requests: a broker that closed one connection is gone for both.
      if (error instanceof Error && error.name === 'KafkaJSConnectionClosedError') await broker.disconnect();
      throw error;
    }
  }

  /** Whatever a question fails with once this is closed, it fails because of that. */
  async #answered<Answer>(answer: Promise<Answer>): Promise<Answer> {
    try {
      return await answer;
    } catch (error) {
      throw this.#isClosed ? closed() : error;
    }
  }
}

function closed(): PersistenceError {
  return new PersistenceError('QUEUE_CLOSED', 'the connection to Kafka was closed');
}

/** A request in the form that kafkajs's connections take. */
function kafkajsRequest<Response>(request: ProtocolRequest<Response>): object {
  const { apiKey, apiName, apiVersion, body, timeout } = request;
  return {
    request: { apiKey, apiName, apiVersion, encode: async () => ({ buf: body, buffer: body }) },
    response: {
      decode: async (payload: Buffer) => ({ payload }),
      parse: async (held: { payload: Buffer }) => request.read(held.payload),
    },
    requestTimeout: timeout ?? null,
    logResponseError: false,
  };
}
