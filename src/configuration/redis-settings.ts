import { duration, file, integer, text, truth } from './kinds.ts';
import { optionalSetting, setting } from './setting.ts';

/** What is set of a store on Redis besides its address. */
export const redisSettings = {
  'redis.cluster': setting(truth, false, 'Whether the address is one of a Redis Cluster, with a layout of our own'),
  'redis.sentinelMaster': optionalSetting(
    text,
    'Name of the master that the Sentinel at the address knows, where it is the address of one',
  ),
  'redis.tlsCa': optionalSetting(file, 'Certificates (PEM) of who vouches for a server with a rediss:// address'),
  'redis.replicas': setting(integer(0, 100), 0, 'How many replicas must have a commit before it counts as durable'),
  'redis.replicasTimeout': setting(duration(1), '5s', 'How long replicas may take for that until it is tried again'),
  'redis.commandTimeout': setting(duration(100), '30s', 'How long the server may take to answer'),
} as const;
