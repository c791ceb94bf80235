import { beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../power-cut/random.ts';
import {
  bytesOf,
  type Kind,
  ourVerdict,
  serdeVerdicts,
  withField,
  withPolicyNumber,
} from '../support/serde-verdicts.ts';
import type { Written } from './command-stream.ts';
import { generateCommands } from './generate.ts';
import { mutated } from './mutate.ts';
import { releases } from './releases.ts';
import { type Judged, judgeBySerde } from './storage-program.ts';
import { seed } from './streams.ts';

/** Whether both releases read each document: what one of them rejects would be lost there. */
async function serdeAccepts(documents: readonly Judged[]): Promise<readonly boolean[]> {
  const [first, last] = await Promise.all(releases.map((release) => judgeBySerde(release, documents)));
  return documents.map((_, index) => first?.[index] === 'accepted' && last?.[index] === 'accepted');
}

const judged = (kind: Kind, text: string): Judged => ({ kind, bytes: Buffer.from(text, 'utf8') });

describe('the recorded verdicts are those of serde', () => {
  const { values, fieldVerdicts, wholeDocuments, policyNumbers, acceptedByUpstreamOnly } = serdeVerdicts;

  test.each(['LogEntry', 'PersistedSession'] as const)('on every field of a %s', async (kind) => {
    const fields = Object.keys(fieldVerdicts[kind]);
    const documents = fields.flatMap((field) => values.map((value) => judged(kind, withField(kind, field, value))));
    const verdicts = await serdeAccepts(documents);
    const letters = verdicts.map((accepted) => (accepted ? 'a' : 'r')).join('');
    const found = fields.map((field, index) => [
      field,
      letters.slice(index * values.length, (index + 1) * values.length),
    ]);
    expect(Object.fromEntries(found)).toEqual(fieldVerdicts[kind]);
  });

  test('on whole documents', async () => {
    const verdicts = await serdeAccepts(wholeDocuments.map((each) => ({ kind: each.kind, bytes: bytesOf(each) })));
    expect(verdicts).toEqual(wholeDocuments.map(({ accepted }) => accepted));
  });

  test('on the numbers of a policy', async () => {
    const numbers = Object.keys(policyNumbers);
    const verdicts = await serdeAccepts(numbers.map((number) => judged('PersistedSession', withPolicyNumber(number))));
    expect(verdicts).toEqual(Object.values(policyNumbers));
  });

  test('on what we refuse although it would be read', async () => {
    const verdicts = await serdeAccepts(acceptedByUpstreamOnly.map(({ kind, text }) => judged(kind, text)));
    expect(verdicts).toEqual(acceptedByUpstreamOnly.map(() => true));
  });
});

describe('we accept what serde reads, and nothing else', () => {
  let commands: readonly Written[];
  beforeAll(() => {
    commands = generateCommands(seed, 1_000).filter(({ data }) => data.length > 0 && data.length < 5_000);
  });

  test.each([
    ['log entries', 'macp.log.append.v1', 'LogEntry'],
    ['replacements of logs', 'macp.log.replace.v1', 'LogEntries'],
    ['snapshots', 'macp.session.save.v1', 'PersistedSession'],
  ] as const)('of %s', async (_, type, kind) => {
    const random = new Random(seed);
    const whole = commands.filter((command) => command.type === type);
    const spoilt = Array.from({ length: 5_000 }, () => {
      const { session, data } = whole[random.below(whole.length)] as Written;
      return { session, data: mutated(data, random) };
    });
    expect(await disagreements(kind, whole)).toEqual({ found: [], accepted: whole.length, refused: 0 });
    const { found, accepted, refused } = await disagreements(kind, spoilt);
    expect(found).toEqual([]);
    expect(Math.min(accepted, refused)).toBeGreaterThan(300);
  });
});

async function disagreements(kind: Judged['kind'], documents: readonly Pick<Written, 'session' | 'data'>[]) {
  const verdicts = await serdeAccepts(documents.map(({ data }) => ({ kind, bytes: data })));
  const found: string[] = [];
  let [accepted, refused] = [0, 0];
  for (const [index, { session, data }] of documents.entries()) {
    const ours = ourVerdict(kind, data, session);
    if (ours === undefined) continue;
    if (ours) accepted += 1;
    else refused += 1;
    if (ours !== verdicts[index]) found.push(`${ours ? 'accepted' : 'refused'}: ${Buffer.from(data).toString('utf8')}`);
  }
  return { found, accepted, refused };
}
