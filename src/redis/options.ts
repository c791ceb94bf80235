/** How a server proves itself and we prove ourselves: PEM texts. */
export interface RedisTls {
  /** Certificates that the server's is checked against. Default: those of Node. */
  readonly ca?: string | Uint8Array | undefined;
  /** Our own certificate and its key, where the server asks for one. */
  readonly cert?: string | Uint8Array | undefined;
  readonly key?: string | Uint8Array | undefined;
  /** The name that the server's certificate must bear. Default: the host. */
  readonly serverName?: string | undefined;
}

interface Access {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Absent: no TLS. */
  readonly tls?: RedisTls | undefined;
}

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** One server (or the address under which the present master of a replicated one is reached). */
export interface RedisServer extends RedisNode, Access {
  readonly database: number;
}

/** A Redis Cluster: some of its nodes, from which the others are found. */
export interface RedisClusterNodes extends Access {
  readonly nodes: readonly RedisNode[];
}

/** A replicated server, found through Sentinels, some of them: they know the others, and who is master at present. */
export interface RedisSentinels extends Access {
  readonly sentinels: readonly RedisNode[];
  /** What Sentinels call the master. */
  readonly master: string;
  readonly database: number;
}

/** Where Redis is. */
export type RedisAddress = RedisServer | RedisSentinels | RedisClusterNodes;

/** The address without its secrets, for people. It says whether TLS is spoken: a server without it just never answers. */
export function describeAddress(address: RedisAddress): string {
  const how = address.tls === undefined ? '' : ' over TLS';
  if ('nodes' in address) return `the Redis Cluster at ${address.nodes.map(hostAndPort).join(', ')}${how}`;
  if ('sentinels' in address) {
    const { master, sentinels, database } = address;
    return `Redis ${master} of the Sentinels at ${sentinels.map(hostAndPort).join(', ')}, database ${database}${how}`;
  }
  return `Redis at ${hostAndPort(address)}, database ${address.database}${how}`;
}

function hostAndPort({ host, port }: RedisNode): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
