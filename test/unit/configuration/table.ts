import { choice, duration, integer, list, size, text, truth } from '../../../src/configuration/kinds.ts';
import type { Sources } from '../../../src/configuration/resolve.ts';
import { optionalSetting, setting } from '../../../src/configuration/setting.ts';

/** A table with settings of the kinds that later adapters bring: nested, secret, lists, truths. */
export const laterTable = {
  dataDir: setting(text, 'data', 'A directory', {
    upstream: {
      variables: ['MACP_DATA_DIR'],
      read: ({ MACP_DATA_DIR: given }) => (given ? { text: given, from: 'MACP_DATA_DIR' } : undefined),
    },
  }),
  'kafka.brokers': setting(list, ['localhost:9092'], 'Where the brokers are'),
  'kafka.ssl': setting(truth, false, 'Whether to use TLS'),
  'kafka.sessionTimeout': setting(duration(1), '10s', 'When a silent member is given up'),
  'http.tokens': optionalSetting(list, 'Who may call', { secret: true }),
  'http.port': setting(integer(1, 65_535), 8080, 'Where to listen'),
  'redis.url': optionalSetting(text, 'Where Redis is', { secret: true }),
  'log.level': setting(choice(['info', 'warn']), 'info', 'How much to tell'),
  'queue.room': setting(size(1), '64MiB', 'How much may wait'),
} as const;

/** Sources that give nothing but what is named. */
export function sources(given: Partial<Sources>): Sources {
  return { flags: new Map(), environment: {}, file: undefined, otherVariables: [], mistakes: [], ...given };
}

/** A configuration file with this content. */
export function file(content: unknown, path = 'macp-persist.json'): { readonly path: string; readonly text: string } {
  return { path, text: typeof content === 'string' ? content : JSON.stringify(content) };
}
