import type { Module } from './modules.ts';

/** What one layer may reach. A layer may always reach itself. */
export interface Layer {
  /** Names of layers, as {@link layerOf} gives them. */
  readonly reaches: readonly string[];
  /** Node's own modules, or single exports of them, that it may import: all where this is absent. */
  readonly builtins?: readonly string[];
  /** Whether it may import packages. */
  readonly packages: boolean;
  /**
   * What it may use without being handed it: nothing; turns of the event loop; or also clock, randomness, timers,
   * environment, console and network.
   */
  readonly ambient: 'nothing' | 'turns' | 'everything';
}

const pure: Layer = { reaches: [], builtins: ['node:buffer', 'node:crypto'], packages: false, ambient: 'nothing' };
const core: Layer = {
  reaches: ['domain', 'ports', 'turns'],
  builtins: ['node:buffer', 'node:crypto', 'node:events', 'node:timers/promises#setImmediate'],
  packages: false,
  ambient: 'turns',
};
const adapter: Layer = { reaches: ['domain', 'ports', 'turns'], packages: true, ambient: 'turns' };
const inner = [
  'domain',
  'ports',
  'pipeline',
  'read-side',
  'publisher',
  'replay',
  'transfer',
  'verify',
  'repair',
  'service',
  'gateway',
  'http-client',
];

/**
 * The arrows: `cli, workers -> compose -> pipeline, read-side, replay, publisher -> ports <- adapters`, and everything
 * may reach the domain. A layer that is not named here is a violation: give it its place first.
 */
export const layers: Readonly<Record<string, Layer>> = {
  domain: pure,
  ports: { ...pure, reaches: ['domain'] },
  // Work in the order in which it was asked for, whoever asks.
  turns: pure,
  pipeline: core,
  'read-side': core,
  publisher: core,
  replay: { ...core, reaches: [...core.reaches, 'pipeline', 'transfer'] },
  transfer: core,
  verify: { ...core, reaches: [...core.reaches, 'transfer', 'replay'] },
  repair: { ...core, reaches: [...core.reaches, 'publisher'] },
  service: { ...core, reaches: [...core.reaches, 'read-side', 'publisher'] },
  // What all servers share that listen somewhere.
  listening: adapter,
  gateway: { ...core, reaches: [...core.reaches, 'read-side', 'publisher'] },
  'http-server': { ...adapter, reaches: [...adapter.reaches, 'listening'] },
  'redis-server': { ...adapter, reaches: [...adapter.reaches, 'listening'] },
  'http-client': { ...adapter, packages: false, ambient: 'everything' },
  // What the adapters of one family share lies beside their folders; what all that stand on LevelDB share, in
  // level; what all stores that belong to one process share, in embedded-store.
  stores: adapter,
  queues: adapter,
  level: adapter,
  // Append-only files of records, for the queues that keep some.
  segments: adapter,
  // What the adapters on Redis share: connections, and what their failures mean.
  redis: adapter,
  'embedded-store': { ...adapter, reaches: [...adapter.reaches, 'stores'] },
  'stores/*': { ...adapter, reaches: [...adapter.reaches, 'stores', 'level', 'embedded-store', 'redis'] },
  'queues/*': { ...adapter, reaches: [...adapter.reaches, 'queues', 'level', 'redis', 'segments'] },
  telemetry: { ...adapter, ambient: 'everything' },
  platform: { ...adapter, ambient: 'everything' },
  configuration: { reaches: ['domain'], packages: true, ambient: 'turns' },
  conformance: { reaches: ['domain', 'ports'], packages: false, ambient: 'turns' },
  compose: {
    reaches: [
      ...inner,
      'http-server',
      'redis-server',
      'stores/*',
      'queues/*',
      'redis',
      'telemetry',
      'platform',
      'configuration',
    ],
    packages: true,
    ambient: 'everything',
  },
  cli: { reaches: ['compose', 'configuration', 'ports', 'domain'], packages: true, ambient: 'everything' },
  workers: { reaches: ['compose', 'configuration', 'domain'], packages: false, ambient: 'everything' },
  index: { reaches: [...inner, 'compose', 'configuration'], packages: false, ambient: 'turns' },
};

/** The layer of a module: its folder under `src`, with one folder an adapter for stores and queues. */
export function layerOf(path: string): string {
  const [top = '', second = '', ...rest] = path.split('/');
  if (top !== 'src') return top;
  if (rest.length === 0) return second.replace(/\.ts$/, '');
  return isAdapter(second, rest) ? `${second}/*` : second;
}

/** What must not be crossed even within a layer: one adapter does not reach into another. */
export function unitOf(path: string): string {
  const [, second = '', ...rest] = path.split('/');
  return isAdapter(second, rest) ? `${second}/${rest[0]}` : layerOf(path);
}

export function layerOfModule(module: Module): Layer | undefined {
  return layers[layerOf(module.path)];
}

function isAdapter(folder: string, rest: readonly string[]): boolean {
  return (folder === 'stores' || folder === 'queues') && rest.length > 1;
}
