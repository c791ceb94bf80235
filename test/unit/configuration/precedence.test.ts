import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { flagOf, variableOf } from '../../../src/configuration/names.ts';
import { resolveConfiguration } from '../../../src/configuration/resolve.ts';
import { settingsTable } from '../../../src/configuration/settings.ts';
import { file, laterTable, sources } from './table.ts';

const every = ['flag', 'environment', 'file', 'upstream'] as const;

describe('one setting, three names', () => {
  test.each([
    ['dataDir', 'data-dir', 'MACP_PERSIST_DATA_DIR'],
    ['kafka.brokers', 'kafka-brokers', 'MACP_PERSIST_KAFKA_BROKERS'],
    ['embedded.maximumBacklog', 'embedded-maximum-backlog', 'MACP_PERSIST_EMBEDDED_MAXIMUM_BACKLOG'],
  ])('%s is --%s and %s', (key, flag, variable) => {
    expect([flagOf(key), variableOf(key)]).toEqual([flag, variable]);
  });

  test('no two settings share a flag', () => {
    const flags = Object.keys(settingsTable({ stores: [], queues: [] })).map(flagOf);
    expect(new Set(flags).size).toBe(flags.length);
  });
});

describe('precedence', () => {
  test('flag before environment before file before upstream before default, whichever are given', () => {
    fc.assert(
      fc.property(
        fc.subarray([...every]),
        fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 4, maxLength: 4 }),
        (given, names) => {
          const value = Object.fromEntries(every.map((source, index) => [source, `${source}-${names[index]}`]));
          const has = (source: (typeof every)[number]) => given.includes(source);
          const { values, origins } = resolveConfiguration(
            laterTable,
            sources({
              flags: new Map(has('flag') ? [['data-dir', value['flag'] ?? '']] : []),
              environment: {
                ...(has('environment') ? { MACP_PERSIST_DATA_DIR: value['environment'] } : {}),
                ...(has('upstream') ? { MACP_DATA_DIR: value['upstream'] } : {}),
              },
              file: has('file') ? file({ dataDir: value['file'] }) : undefined,
            }),
          );
          const first = every.find(has);
          expect(values.dataDir).toBe(first === undefined ? 'data' : value[first]);
          expect(origins.dataDir.from).toBe(first ?? 'default');
        },
      ),
    );
  });

  test('each setting is chosen on its own', () => {
    const { values } = resolveConfiguration(
      laterTable,
      sources({
        flags: new Map([['kafka-brokers', 'a:1,b:2']]),
        environment: { MACP_PERSIST_KAFKA_SSL: 'true', MACP_PERSIST_KAFKA_BROKERS: 'c:3' },
        file: file({ kafka: { brokers: ['d:4'], ssl: false, sessionTimeout: '500ms' }, queue: { room: 4096 } }),
      }),
    );
    expect(values).toMatchObject({
      'kafka.brokers': ['a:1', 'b:2'],
      'kafka.ssl': true,
      'kafka.sessionTimeout': 500,
      'queue.room': 4096,
      'http.port': 8080,
      'redis.url': undefined,
    });
  });

  test.each([
    [
      { MACP_STORAGE_BACKEND: 'rocksdb', MACP_ROCKSDB_PATH: '/r', MACP_REDIS_URL: 'redis://h' },
      { kind: 'rocksdb', directory: '/r' },
    ],
    [
      { MACP_STORAGE_BACKEND: 'redis', MACP_ROCKSDB_PATH: '/r', MACP_REDIS_URL: 'redis://h:7/2' },
      { kind: 'redis', host: 'h', port: 7, database: 2 },
    ],
    [
      { MACP_STORAGE_BACKEND: 'file', MACP_ROCKSDB_PATH: '/r' },
      { kind: 'file', named: true },
    ],
    [
      { MACP_ROCKSDB_PATH: '/r', MACP_REDIS_URL: 'redis://h' },
      { kind: 'level', named: true },
    ],
  ])("upstream's variables %o mean what they mean to macp-runtime", (environment, store) => {
    const table = settingsTable({ stores: ['level', 'file', 'rocksdb', 'redis'], queues: ['embedded'] });
    expect(resolveConfiguration(table, sources({ environment })).values.store).toMatchObject(store);
  });
});
