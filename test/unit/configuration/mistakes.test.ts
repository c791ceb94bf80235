import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigurationError } from '../../../src/configuration/mistakes.ts';
import { withoutSecrets } from '../../../src/configuration/redaction.ts';
import { resolveConfiguration, type Sources } from '../../../src/configuration/resolve.ts';
import { type SettingsTable, settingsTable } from '../../../src/configuration/settings.ts';
import { showConfiguration } from '../../../src/configuration/show.ts';
import { file, laterTable, sources } from './table.ts';

function mistakesOf(given: Partial<Sources>, table: SettingsTable = laterTable): ConfigurationError {
  try {
    resolveConfiguration(table, sources(given));
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('no mistake was found');
}

describe('mistakes', () => {
  test('are reported all at once, each with its source and what to do', () => {
    const error = mistakesOf({
      flags: new Map([['http-port', '0']]),
      environment: {
        MACP_PERSIST_QUEUE_ROOM: '64 apples',
        MACP_PERSIST_KAFKA_BROKER: 'a:1',
        MACP_PERSIST_LOG_LEVEL: '',
      },
      file: file(
        { kafka: { sessionTimeout: 5, brokres: [] }, http: 80, 'log.level': 'warn', dataDirr: 'x' },
        '/etc/m.json',
      ),
      mistakes: [{ source: '--nonsense', problem: 'there is no such option' }],
    });
    expect(error.code).toBe('INVALID_CONFIGURATION');
    expect(error.mistakes.map(({ source, problem }) => `${source}: ${problem}`)).toEqual([
      '--nonsense: there is no such option',
      'MACP_PERSIST_KAFKA_BROKER: there is no such setting; did you mean MACP_PERSIST_KAFKA_BROKERS?',
      '/etc/m.json, key kafka.brokres: there is no such setting; did you mean kafka.brokers?',
      '/etc/m.json, key http: this is a group of settings: write an object',
      '/etc/m.json, key log.level: write it as nested objects: { "log": { "level": … } }',
      '/etc/m.json, key dataDirr: there is no such setting; did you mean dataDir?',
      '--http-port: 0 is not a whole number from 1 to 65535',
      expect.stringContaining('MACP_PERSIST_QUEUE_ROOM: "64 apples" is not a size: write a whole number with a unit'),
      'MACP_PERSIST_LOG_LEVEL: it is empty: give a value, or leave it out',
      expect.stringContaining(
        '/etc/m.json, key kafka.sessionTimeout: 5 is not a duration: write a whole number with a unit',
      ),
    ]);
    for (const { source, problem } of error.mistakes) expect(error.message).toContain(`${source}: ${problem}`);
  });

  test('in a value that another source overrides are mistakes still', () => {
    const error = mistakesOf({
      flags: new Map([['http-port', '80']]),
      environment: { MACP_PERSIST_HTTP_PORT: 'eighty' },
    });
    expect(error.mistakes).toHaveLength(1);
  });

  test('a kind that has no adapter is named as not part of this build', () => {
    const error = mistakesOf(
      { environment: { MACP_STORAGE_BACKEND: 'rocksdb' }, flags: new Map([['queue', 'kafka://h:9092/t']]) },
      settingsTable({ stores: ['level'], queues: ['embedded'] }),
    );
    expect(error.mistakes.map(({ problem }) => problem)).toEqual([
      expect.stringContaining('queue kind kafka, which is not part of this build: use embedded'),
      expect.stringMatching(
        /store kind rocksdb, which is not part of this build: use level; --store or MACP_PERSIST_STORE come before it/,
      ),
    ]);
  });

  test.each(['[1]', '"x"', 'null', '3'])('a file that holds %s is no object of settings', (text) => {
    expect(mistakesOf({ file: file(text) }).mistakes).toEqual([
      { source: 'macp-persist.json', problem: 'the settings are not a JSON object' },
    ]);
  });

  test('a file that is no JSON is told with the place', () => {
    const text = '{\n  "dataDir": "x",\n  "log": { level: "info" }\n}';
    expect(mistakesOf({ file: file(text) }).mistakes).toEqual([
      {
        source: 'macp-persist.json',
        problem: expect.stringMatching(/^this is not JSON: .+ expected in line 3, column 12$/),
      },
    ]);
  });

  test('variables that Kubernetes sets for a service of our name are no settings', () => {
    const environment = {
      MACP_PERSIST_SERVICE_HOST: '10.0.0.1',
      MACP_PERSIST_SERVICE_PORT: '80',
      MACP_PERSIST_SERVICE_PORT_HTTP: '80',
      MACP_PERSIST_PORT: 'tcp://10.0.0.1:80',
      MACP_PERSIST_PORT_80_TCP: 'tcp://10.0.0.1:80',
      MACP_PERSIST_PORT_80_TCP_ADDR: '10.0.0.1',
    };
    expect(resolveConfiguration(laterTable, sources({ environment })).values.dataDir).toBe('data');
  });

  test('names of the prototype are settings no more than others', () => {
    const names = ['constructor', 'toString', '__proto__', 'hasOwnProperty'];
    const text = `{${names.map((name) => `"${name}":1`).join(',')}}`;
    expect(mistakesOf({ file: file(text) }).mistakes.map(({ source }) => source)).toEqual(
      names.map((name) => `macp-persist.json, key ${name}`),
    );
  });
});

const canary = 'hunter2canary';

describe('secrets', () => {
  test.each<[string, Partial<Sources>]>([
    ['a URL with user info for an absent adapter', { flags: new Map([['store', `redis://user:${canary}@host/0`]]) }],
    ['a URL that cannot be parsed', { flags: new Map([['store', `redis://user:${canary}@ho st:port/zero`]]) }],
    ['a URL of a mistyped scheme', { flags: new Map([['store', `redsi://user:${canary}@host`]]) }],
    ['a secret in a query', { flags: new Map([['store', `redis://host/0?password=${canary}`]]) }],
    ['brokers with user info', { environment: { MACP_PERSIST_QUEUE: `kafka://u:${canary}@h:1,h:2/topic` } }],
    ["upstream's URL", { environment: { MACP_STORAGE_BACKEND: 'redis', MACP_REDIS_URL: `redis://:${canary}@h` } }],
    ['a file that is not JSON', { file: file(`{"http":{"tokens": ${canary}}}`) }],
    ['a file with an unknown key', { file: file({ redis: { password: canary } }) }],
    ['an unknown variable', { environment: { MACP_PERSIST_REDIS_PASSWORD: canary } }],
  ])('%s is not shown in mistakes', (_, given) => {
    const { message, mistakes } = mistakesOf(given, settingsTable({ stores: ['level'], queues: ['embedded'] }));
    expect(`${message}${JSON.stringify(mistakes)}`).not.toContain(canary);
  });

  test('a setting marked secret is not shown when it is wrong, nor when it is right', () => {
    const { message } = mistakesOf({ flags: new Map([['http-tokens', `${canary},,`]]) });
    expect(message).not.toContain(canary);
    expect(message).toContain('--http-tokens: (secret) has an empty item');
    const configuration = resolveConfiguration(
      laterTable,
      sources({ flags: new Map([['http-tokens', `${canary},b`]]) }),
    );
    expect(configuration.values['http.tokens']).toEqual([canary, 'b']);
    expect(JSON.stringify(showConfiguration(configuration))).not.toContain(canary);
  });

  test('the password of a URL in use is not shown', () => {
    const table = settingsTable({ stores: ['redis'], queues: ['embedded'] });
    const configuration = resolveConfiguration(
      table,
      sources({ flags: new Map([['store', `rediss://me:${canary}@h:6380/3?prefix=p`]]) }),
    );
    const [store] = showConfiguration(configuration);
    expect(store?.value).toBe('rediss://(secret)@h:6380/3?prefix=p');
  });

  test('nothing before the last @ and nothing of a query stays, whatever else there is', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        expect(withoutSecrets(`x://${before}${canary}@${after}`)).not.toContain(canary);
        expect(withoutSecrets(`${before}?a=${canary}${after}`)).not.toContain(canary);
      }),
    );
  });
});
