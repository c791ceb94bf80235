import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { wireLimits } from '../../src/domain/command.ts';
import { checkData } from '../../src/domain/documents/check-data.ts';
import type { Written } from './command-stream.ts';
import { generateCommands } from './generate.ts';
import { jsonText, parseJson } from './json-tree.ts';
import { entryLimits, snapshotLimits } from './limits.ts';
import { entryFields, snapshotFields } from './releases.ts';
import { seed } from './streams.ts';

const commands = generateCommands(seed, 1_000);
const ofType = (type: Written['type']): readonly Written[] => commands.filter((command) => command.type === type);

function digest(all: readonly Written[]): string {
  const hash = createHash('sha256');
  for (const { type, session, data } of all) hash.update(`${type} ${session} ${data.length} `).update(data);
  return hash.digest('hex');
}

describe('1,000 generated sessions', () => {
  test('are the same for the same seed, and others for another', () => {
    expect(digest(generateCommands(seed, 1_000))).toBe(digest(commands));
    expect(digest(generateCommands(seed + 1, 1_000))).not.toBe(digest(commands));
  });

  test('are commands that a worker applies, the largest as large as one may be', () => {
    const refusals = commands.flatMap(({ type, session, data }) => checkData(type, session, data).refusal ?? []);
    expect(refusals).toEqual([]);
    expect(Math.max(...commands.map(({ data }) => data.length))).toBe(wireLimits.dataBytes);
    expect(new Set(commands.map(({ type }) => type)).size).toBe(7);
    expect(new Set(commands.map(({ session }) => session)).size).toBe(1_000);
  });

  test.each([
    ['log entries', 'macp.log.append.v1', entryLimits, entryFields],
    ['snapshots', 'macp.session.save.v1', snapshotLimits, snapshotFields],
  ] as const)('have %s in which every field takes each of its limits', (_, type, limits, fields) => {
    // A snapshot's session is that of its command.
    const free = [...fields['0.13.0'].keys()].filter((name) => limits.has(name) || name !== 'session_id');
    expect([...limits.keys()].sort()).toEqual(free.sort());
    const left = new Map([...limits].map(([name, values]) => [name, new Set(values)]));
    for (const { data } of ofType(type)) {
      const tree = parseJson(Buffer.from(data).toString('utf8'));
      if (tree.kind !== 'object') throw new TypeError('no document');
      for (const [name, value] of tree.members) left.get(name)?.delete(jsonText(value));
    }
    expect([...left].filter(([, values]) => values.size > 0)).toEqual([]);
  });
});
