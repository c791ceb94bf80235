import { gatewayField } from '../domain/gateway-field.ts';

/** What a server tells of itself. */
export interface ServerInformation {
  /** Version of the program. */
  readonly version: string;
  /** Connections that are open. */
  readonly clients: number;
}

/** The release of Redis that clients may take the server for: some look at it to see what they can ask. */
export const redisVersion = '7.0.0';

/**
 * The answer to INFO, for clients that look there whether a server is ready, and for stores of ours, which must not be
 * kept behind their own gateway.
 */
export function informationText({ version, clients }: ServerInformation): string {
  const lines = [
    '# Server',
    `redis_version:${redisVersion}`,
    'redis_mode:standalone',
    `${gatewayField}:1`,
    `macp_persist_version:${version}`,
    '# Clients',
    `connected_clients:${clients}`,
    '# Persistence',
    'loading:0',
    '# Replication',
    'role:master',
    'connected_slaves:0',
  ];
  return `${lines.join('\r\n')}\r\n`;
}
