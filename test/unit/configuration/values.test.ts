import { describe, expect, test } from 'vitest';
import {
  AddressProblem,
  parseQueueReference,
  parseStoreReference,
  showAddress,
} from '../../../src/configuration/addresses.ts';
import { parseDuration, parseSize, showDuration, showSize } from '../../../src/configuration/quantities.ts';

const stores = ['memory', 'level', 'file', 'rocksdb', 'redis'];
const queues = ['memory', 'embedded', 'kafka', 'ndjson'];

const redis = {
  kind: 'redis',
  tls: false,
  host: 'h',
  port: 6379,
  database: 0,
  username: undefined,
  password: undefined,
  prefix: 'macp',
};

describe('addresses of stores', () => {
  test.each<[string, unknown]>([
    ['memory', { kind: 'memory', named: true }],
    ['memory:', { kind: 'memory' }],
    ['level', { kind: 'level', named: true }],
    ['level:data/level', { kind: 'level', directory: 'data/level' }],
    ['level:/var/lib/a b', { kind: 'level', directory: '/var/lib/a b' }],
    ['level:///var/lib', { kind: 'level', directory: '/var/lib' }],
    ['level:C:\\data', { kind: 'level', directory: 'C:\\data' }],
    ['file:.', { kind: 'file', directory: '.' }],
    ['rocksdb:../r', { kind: 'rocksdb', directory: '../r' }],
    ['redis', { kind: 'redis', named: true }],
    ['redis://h', redis],
    ['redis://h/', redis],
    ['redis://h:7000/5?prefix=other', { ...redis, port: 7000, database: 5, prefix: 'other' }],
    ['rediss://u:p%40w@[::1]:1/0', { ...redis, tls: true, host: '::1', port: 1, username: 'u', password: 'p@w' }],
  ])('%s', (text, address) => {
    expect(parseStoreReference(text, stores)).toEqual(address);
  });

  test.each([
    ['levle', 'did you mean level?'],
    ['postgres://h', 'write one of memory, memory:, level'],
    ['level:', 'names no directory'],
    ['level://data', 'takes a path, not //'],
    ['level:~/data', 'does not expand ~'],
    ['level:a\0b', 'NUL'],
    ['memory:x', 'takes nothing after its colon'],
    ['redis:h', 'not a URL of the form'],
    ['redis://', 'not a URL of the form'],
    ['redis://h:99999', 'not a URL of the form'],
    ['redis://h/zero', 'database that is no number'],
    ['redis://h/0?db=1', 'unknown parameter "db"'],
    ['redis://h/0?prefix=', 'prefix that is not empty'],
    ['redis://h/0?prefix=a&prefix=b', 'one prefix'],
    ['redis://u:%zz@h', 'bare %'],
    ['rediss', 'write rediss://'],
    ['constructor', 'no kind of store'],
    ['kafka://h:1/t', 'no kind of store'],
  ])('%s is refused: %s', (text, problem) => {
    expect(() => parseStoreReference(text, stores)).toThrow(AddressProblem);
    expect(() => parseStoreReference(text, stores)).toThrow(problem);
  });
});

describe('a kind that is not known', () => {
  test('is answered with the kinds that are offered, and no other', () => {
    expect(() => parseStoreReference('postgres://h', ['memory', 'level'])).toThrow(
      'write one of memory, memory:, level, level:DIR',
    );
    expect(() => parseStoreReference('postgres://h', ['memory', 'level'])).not.toThrow(/redis|rocksdb/);
    expect(() => parseStoreReference('rokcsdb', ['memory', 'level'])).not.toThrow('rocksdb?');
    expect(() => parseQueueReference('redis', ['memory', 'embedded'])).not.toThrow('kafka');
    expect(() => parseStoreReference('x', ['redis'])).toThrow('rediss://');
  });
});

describe('addresses of queues', () => {
  test.each<[string, unknown]>([
    ['embedded', { kind: 'embedded', named: true }],
    ['embedded:q', { kind: 'embedded', directory: 'q' }],
    [
      'kafka://a:9092,[::1]:9093/macp.commands',
      { kind: 'kafka', brokers: ['a:9092', '[::1]:9093'], topic: 'macp.commands' },
    ],
    ['ndjson:./a.ndjson', { kind: 'ndjson', file: './a.ndjson' }],
  ])('%s', (text, address) => {
    expect(parseQueueReference(text, queues)).toEqual(address);
  });

  test.each([
    ['ndjson', 'write ndjson:FILE'],
    ['kafka', 'write kafka://HOST:PORT,HOST:PORT/TOPIC'],
    ['ndjson:', 'names no file'],
    ['kafka://a:9092', 'not of the form'],
    ['kafka://a/t', 'broker 1 of 1 is not HOST:PORT'],
    ['kafka://a:1,b:0/t', 'broker 2 of 2'],
    ['kafka://a:1/to pic', 'topic name'],
    ['level:x', 'no kind of queue'],
  ])('%s is refused: %s', (text, problem) => {
    expect(() => parseQueueReference(text, queues)).toThrow(problem);
  });

  test('are shown as they are read', () => {
    for (const text of ['embedded', 'embedded:q', 'kafka://a:1,b:2/t', 'ndjson:f', 'memory:']) {
      expect(showAddress(parseQueueReference(text, queues))).toBe(text);
    }
  });
});

describe('quantities', () => {
  test.each([
    ['0', 0],
    ['512', 512],
    ['7B', 7],
    ['64KiB', 65_536],
    ['64 MiB', 67_108_864],
    ['1GiB', 2 ** 30],
    ['2TiB', 2 ** 41],
    ['3kB', 3000],
    ['3MB', 3_000_000],
  ])('%s is %i bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each([
    ['500ms', 500],
    ['2s', 2000],
    ['3m', 180_000],
    ['1 h', 3_600_000],
    ['7d', 604_800_000],
  ])('%s is %i milliseconds', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  test.each(['', 'MiB', '1.5MiB', '-1', '1mb', '1 K', '1e3', '9007199254740992', '99999999TiB', ' 1', '1\n'])(
    '"%s" is no size',
    (text) => {
      expect(parseSize(text)).toBeUndefined();
    },
  );

  test.each(['', '5', '1.5s', '-1s', '1w', '1h30m', '1S'])('"%s" is no duration', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test('are shown in the largest unit that is exact', () => {
    expect([0, 1, 1536, 2 ** 20].map(showSize)).toEqual(['0B', '1B', '1536B', '1MiB']);
    expect([0, 1500, 60_000, 604_800_000].map(showDuration)).toEqual(['0ms', '1500ms', '1m', '7d']);
  });
});
