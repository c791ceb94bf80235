import type { KafkaBroker, KafkaCluster } from '../connection/cluster.ts';
import { brokerError } from '../connection/failures.ts';
import { BrokerConnections, type ConnectionParts, type Question } from './broker-connections.ts';
import { type MemberTimes, memberIdRequest } from './member-id-request.ts';

/** Most milliseconds that leaving may take: a coordinator that is away notices by itself. */
const leaveTimeout = 2_000;

/** The coordinator is another broker now, or not ready yet. */
const movedErrors: readonly string[] = [
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
];

/** The broker that coordinates a group: looked up when first asked, and again when it is another one or away. */
export class GroupCoordinator {
  readonly #groupId: string;
  readonly #connections: BrokerConnections;
  #known: { readonly cluster: KafkaCluster; readonly broker: KafkaBroker } | undefined;

  constructor(groupId: string, parts: ConnectionParts) {
    this.#groupId = groupId;
    this.#connections = new BrokerConnections(parts);
  }

  /** Rejects with what kafkajs throws. */
  async ask<Answer>(
    what: string,
    question: (broker: KafkaBroker) => Promise<Answer>,
    limits: Question,
  ): Promise<Answer> {
    return await this.#ask(what, async (cluster) => question(await this.#find(cluster)), limits);
  }

  /** An id to join with, so that who gives up joining can leave; undefined where the coordinator gives none. */
  newMemberId(times: MemberTimes, limits: Question): Promise<string | undefined> {
    const request = memberIdRequest(this.#groupId, times);
    return this.#ask('joining', async (cluster) => cluster.send(await this.#find(cluster), request), limits);
  }

  async #ask<Answer>(
    what: string,
    question: (cluster: KafkaCluster) => Promise<Answer>,
    limits: Question,
  ): Promise<Answer> {
    try {
      return await this.#connections.ask(`${what} (group ${this.#groupId})`, question, limits);
    } catch (error) {
      const name = brokerError(error);
      if (name !== undefined && movedErrors.includes(name)) this.#known = undefined;
      throw error;
    }
  }

  /** Takes the member out of the group, if that can be done within two seconds. */
  async leave(memberId: string): Promise<void> {
    const groupId = this.#groupId;
    const left = this.ask('leaving', (broker) => broker.leaveGroup({ groupId, memberId }), { within: leaveTimeout });
    await left.catch(() => undefined);
  }

  /** Ends every question under way; the next one is asked over new connections. */
  abandon(): Promise<void> {
    return this.#connections.abandon();
  }

  close(): Promise<void> {
    return this.#connections.close();
  }

  async #find(cluster: KafkaCluster): Promise<KafkaBroker> {
    if (this.#known?.cluster === cluster) return this.#known.broker;
    const broker = await cluster.findGroupCoordinator(this.#groupId);
    this.#known = { cluster, broker };
    return broker;
  }
}
