import { expect, test } from 'vitest';
import { hostileIds } from '../../../src/conformance/store-samples.ts';
import type { FiledId, SourceId } from '../../../src/domain/plan.ts';
import {
  clusterKeys,
  filedName,
  type KeySpace,
  parsePositionName,
  positionName,
  standaloneKeys,
} from '../../../src/stores/redis/keys.ts';

/** Every key of some sessions. */
function sessionKeys(keys: KeySpace): readonly string[] {
  return hostileIds.flatMap((session) => {
    const bucket = keys.bucketOf(session);
    return [
      bucket.session(session),
      bucket.log(session),
      bucket.receipt(session),
      bucket.anchor(session),
      bucket.parkedHeaders(session),
      bucket.parkedCommands(session),
      bucket.replacedLog(session, 1),
      bucket.replacedLog(session, 11),
    ];
  });
}

test.each([
  ['one server', standaloneKeys('macp')],
  ['a cluster', clusterKeys('macp')],
])('on %s no two things share a key', (_, keys) => {
  const all = [keys.identity, keys.positions, ...sessionKeys(keys)];
  for (const { session: _session, ...bucket } of keys.buckets) {
    all.push(...Object.values(bucket).filter((key) => typeof key === 'string'));
  }
  expect(new Set(all).size).toBe(all.length);
});

test('upstream’s keys are upstream’s, and ours lie where it does not look', () => {
  const keys = standaloneKeys('macp');
  const [session = '' as never] = hostileIds;
  expect(keys.home.sessions).toBe('macp:sessions');
  expect(keys.home.session(session)).toBe('macp:session: ');
  expect(keys.home.log(session)).toBe('macp:log: ');
  expect(keys.home.receipt(session)).toBe('macp:receipt: ');
  expect(keys.home.anchor(session)).toBe('macp:anchor: ');
  expect(keys.identity.startsWith('macp:worker:')).toBe(true);
  expect(keys.positions.startsWith('macp:worker:')).toBe(true);
  expect(keys.home.cursors.startsWith('macp:worker:')).toBe(true);
});

test('in a cluster all keys of a session bear one hash tag, whatever its id', () => {
  const keys = clusterKeys('macp');
  const braces = ['{a}', '}{', '{', 'x{y}z'] as unknown as typeof hostileIds;
  for (const session of [...hostileIds, ...braces]) {
    const bucket = keys.bucketOf(session);
    const tags = [bucket.log(session), bucket.session(session), bucket.cursors, bucket.parkedHeaders(session)];
    expect(new Set(tags.map((key) => /\{(.*?)\}/.exec(key)?.[1])).size).toBe(1);
  }
  expect(keys.buckets.length).toBe(257);
});

test('names of positions are read back, whatever the source', () => {
  for (const source of ['kafka:abc', '', 'a\u{1f600}'] as SourceId[]) {
    expect(parsePositionName(positionName(source, 12))).toEqual({ source, partition: 12 });
  }
  expect(() => positionName('a\0b' as SourceId, 0)).toThrow(TypeError);
});

test('names of dead letters sort by session, those without one first', () => {
  const [one = '' as never, other = '' as never] = hostileIds.slice(12);
  const names = [
    filedName(undefined, 'z' as FiledId),
    filedName(one, 'b' as FiledId),
    filedName(other, 'a' as FiledId),
  ];
  expect([...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))).toEqual(names);
});
