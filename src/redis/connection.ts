import { hash } from 'node:crypto';
import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import type { PersistenceError } from '../domain/errors.ts';
import { type Argument, type Reply, SentCommand } from './command.ts';
import { classify, failureText, isUnknownScript, type RedisUse } from './failures.ts';
import {
  describeAddress,
  type RedisAddress,
  type RedisClusterNodes,
  type RedisSentinels,
  type RedisServer,
  type RedisTls,
} from './options.ts';

/** A script, sent by its digest. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

/** A script's answer, and what is known of how it was run. */
export interface ScriptAnswer {
  readonly reply: Reply;
  /** It may have run more than once: it was sent again because no answer came. */
  readonly inDoubt: boolean;
  /** The connection on which it ran last. */
  readonly socket: object | undefined;
}

/** What a connection is opened with. */
export interface ConnectionOptions {
  readonly address: RedisAddress;
  readonly use: RedisUse;
  /** Most milliseconds to wait for an answer, or for a connection. */
  readonly answerTimeoutMs: number;
}

export function defineScript(lua: string): Script {
  return { lua, sha: hash('sha1', lua, 'hex') };
}

/**
 * Commands to one Redis or one Redis Cluster; all failures are this project's errors. It reconnects by itself. What
 * was sent when the connection broke fails at once as unavailable (in a cluster after some attempts), and
 * nothing waits longer than twice the timeout for an answer: whoever asked decides whether to ask again.
 */
export class RedisConnection {
  readonly where: string;
  /** For libraries that send commands of their own. */
  readonly client: Redis | Cluster;
  readonly #use: RedisUse;
  /** What the connection last failed of: a command that finds none is told no more than that. */
  #failure: string | undefined;
  #refused = false;
  readonly #unanswered = new Set<SentCommand>();

  private constructor(client: Redis | Cluster, where: string, use: RedisUse) {
    this.client = client;
    this.where = where;
    this.#use = use;
    const note = (error: unknown) => {
      this.#failure = failureText(error);
      if (!this.#failure.includes('DB index is out of range')) return;
      // ioredis would go on in database 0.
      this.#refused = true;
      this.close();
    };
    client.on('error', note);
    client.on('node error', note);
    client.on('ready', () => {
      if (!this.#refused) this.#failure = undefined;
    });
  }

  /** Rejects as unavailable when nobody answers, `INVALID_CONFIGURATION` when we are not let in. */
  static async open({ address, use, answerTimeoutMs }: ConnectionOptions): Promise<RedisConnection> {
    let isOpen = false;
    const client =
      'nodes' in address
        ? new Cluster([...address.nodes], clusterOptions(address, answerTimeoutMs))
        : new Redis({ ...serverOptions(address, answerTimeoutMs), ...placeOf(address, () => isOpen) });
    const connection = new RedisConnection(client, describeAddress(address), use);
    try {
      await client.connect();
      isOpen = true;
      if (connection.#refused) throw new Error('Connection is closed.');
    } catch (error) {
      connection.close();
      throw connection.classify(error);
    }
    return connection;
  }

  /** Names are written in upper case: ioredis reshapes the answers to those that it knows in lower case. */
  async command(name: Uppercase<string>, ...args: readonly Argument[]): Promise<Reply> {
    return this.#send(this.client, new SentCommand(name, args));
  }

  async script(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<ScriptAnswer> {
    const run = (name: Uppercase<string>, text: string) =>
      new SentCommand(name, [text, String(keys.length), ...keys, ...args], [text, '1', ...keys.slice(0, 1)]);
    let sent = run('EVALSHA', script.sha);
    try {
      const reply = await this.#raw(this.client, sent);
      return { reply, inDoubt: sent.sockets.length > 1, socket: sent.sockets.at(-1) };
    } catch (error) {
      if (!isUnknownScript(error)) throw this.classify(error);
    }
    sent = run('EVAL', script.lua);
    const reply = await this.#send(this.client, sent);
    return { reply, inDoubt: sent.sockets.length > 1, socket: sent.sockets.at(-1) };
  }

  /**
   * How many replicas hold everything that was written on `socket`, after at most `timeoutMs`; undefined when that
   * connection is gone, so that nobody can tell any more.
   */
  async waitForReplicas(socket: object | undefined, count: number, timeoutMs: number): Promise<number | undefined> {
    const node = this.#masters().find(({ stream }) => stream === socket);
    if (node === undefined) return undefined;
    const wait = new SentCommand('WAIT', [String(count), String(timeoutMs)]);
    const replicas = await this.#send(node, wait);
    return wait.sockets.length === 1 && wait.sockets[0] === socket ? Number(replicas) : undefined;
  }

  /** The same command to every master. */
  async everyMaster(name: Uppercase<string>, ...args: readonly Argument[]): Promise<readonly Reply[]> {
    return Promise.all(this.#masters().map((node) => this.#send(node, new SentCommand(name, args))));
  }

  /** Goes on over another connection; what is under way fails. */
  reconnect(): void {
    this.client.disconnect(true);
  }

  /** Releases everything at once; what is under way fails. */
  close(): void {
    this.client.disconnect();
    // ioredis leaves what waits for a connection to its timeout, which also keeps the process from ending.
    for (const command of this.#unanswered) command.reject(new Error('Connection is closed.'));
  }

  #masters(): readonly Redis[] {
    return this.client instanceof Redis ? [this.client] : this.client.nodes('master');
  }

  async #send(client: Redis | Cluster, command: SentCommand): Promise<Reply> {
    try {
      return await this.#raw(client, command);
    } catch (error) {
      throw this.classify(error);
    }
  }

  async #raw(client: Redis | Cluster, command: SentCommand): Promise<Reply> {
    this.#unanswered.add(command);
    try {
      client.sendCommand(command);
      return await command.promise;
    } finally {
      this.#unanswered.delete(command);
    }
  }

  /** What a failure of the client means, as one of this project's errors. */
  classify(error: unknown): PersistenceError {
    return classify(error, this.where, this.#use, this.#failure);
  }
}

function serverOptions(
  { username, password, tls }: Pick<RedisAddress, 'username' | 'password' | 'tls'>,
  answerTimeoutMs: number,
) {
  return {
    lazyConnect: true,
    disableClientInfo: true,
    // A server that is still loading says so.
    enableReadyCheck: false,
    replyMapping: 'legacy',
    protocol: 2,
    username,
    password,
    ...(tls === undefined ? {} : { tls: tlsOptions(tls) }),
    connectTimeout: answerTimeoutMs,
    socketTimeout: answerTimeoutMs,
    // What ioredis itself gave up to send again is not found by the timeout of the socket.
    commandTimeout: 2 * answerTimeoutMs,
    maxRetriesPerRequest: 0,
    // A master that became a replica: the address leads to the new master now.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  } as const satisfies RedisOptions;
}

/** `isOpen`: whether there was a connection; before, whoever opens one is told at once that there is none. */
function placeOf(address: RedisServer | RedisSentinels, isOpen: () => boolean) {
  const { database: db } = address;
  if (!('sentinels' in address)) return { host: address.host, port: address.port, db, retryStrategy };
  return {
    db,
    retryStrategy,
    sentinels: [...address.sentinels],
    name: address.master,
    // A master that was given up closes no connection where nobody can reach it.
    failoverDetector: true,
    // While no Sentinel names a master, commands would wait without bound.
    enableOfflineQueue: false,
    sentinelRetryStrategy: (times: number) => (isOpen() ? retryStrategy(times) : null),
    sentinelCommandTimeout: sentinelPatience,
    ...(address.tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: tlsOptions(address.tls) }),
  } satisfies RedisOptions;
}

function clusterOptions(address: RedisClusterNodes, answerTimeoutMs: number) {
  return {
    lazyConnect: true,
    // With it, commands would wait without bound while no node answers.
    enableOfflineQueue: false,
    clusterRetryStrategy: retryStrategy,
    slotsRefreshTimeout: answerTimeoutMs,
    redisOptions: serverOptions(address, answerTimeoutMs),
  } satisfies ClusterOptions;
}

/** Milliseconds that a Sentinel may take to answer before the next one is asked. */
const sentinelPatience = 2_000;

/** Milliseconds before the connection is tried again. */
function retryStrategy(times: number): number {
  return Math.min(2_000, 5 * 2 ** Math.min(times, 10));
}

function tlsOptions({ ca, cert, key, serverName }: RedisTls): NonNullable<RedisOptions['tls']> {
  return {
    ...(ca === undefined ? {} : { ca: pem(ca) }),
    ...(cert === undefined ? {} : { cert: pem(cert) }),
    ...(key === undefined ? {} : { key: pem(key) }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}

function pem(text: string | Uint8Array): string | Buffer {
  return typeof text === 'string' ? text : Buffer.from(text);
}
