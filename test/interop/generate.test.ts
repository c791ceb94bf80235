import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { wireLimits } from '../../src/domain/command.ts';
import { checkData } from '../../src/domain/documents/check-data.ts';
import type { Written } from './command-stream.ts';
import { generateCommands } from './generate.ts';
import { entryLimits, snapshotLimits } from './limits.ts';
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
    ['log entries', 'macp.log.append.v1', entryLimits],
    ['snapshots', 'macp.session.save.v1', snapshotLimits],
  ] as const)('have %s in which every field takes each of its limits', (_, type, limits) => {
    const left = new Map([...limits].map(([name, values]) => [name, new Set(values)]));
    for (const { data } of ofType(type)) {
      if (data.length > 1_000_000) continue;
      const text = Buffer.from(data).toString('utf8');
      for (const [name, values] of left) {
        for (const value of values) if (text.includes(`"${name}":${value}`)) values.delete(value);
      }
    }
    expect([...left].filter(([, values]) => values.size > 0).map(([name]) => name)).toEqual([]);
  });
});
