import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BatchPlanner } from '../../../src/domain/rule/plan-batch.ts';
import { brokenLaw, sampleHistories } from './broken-law.ts';
import { mutants } from './mutants/index.ts';
import type { Mutant } from './mutants/mutant.ts';
import { planBatchWith } from './plan-batch.ts';
import type { PlanBatch } from './plan-store.ts';

const domain = fileURLToPath(new URL('../../../src/domain', import.meta.url));
const samples = sampleHistories(120);
let scratch = '';
let sources: ReadonlyMap<string, string>;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'macp-persist-mutants-'));
  const files = readdirSync(domain, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  sources = new Map(files.map((file) => [file, readFileSync(join(domain, file), 'utf8')]));
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

test('the rule as it stands keeps every law that the mutants are tried with', async () => {
  expect(brokenLaw(await load('unchanged', undefined), samples)).toBeUndefined();
});

test.each(mutants.map((one, index) => [one.breaks, index, one] as const))(
  'a rule that forgets that %s is caught',
  async (_breaks, index, one) => {
    expect(brokenLaw(await load(`mutant-${index}`, one), samples)).toBeDefined();
  },
);

/** The rule from a copy of the whole domain, which imports nothing from outside itself, with the mutation in it. */
async function load(folder: string, change: Mutant | undefined): Promise<PlanBatch> {
  for (const [file, source] of sources) {
    const path = join(scratch, folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, change?.file === file ? mutated(source, change) : source);
  }
  const rule: { readonly BatchPlanner: typeof BatchPlanner } = await import(
    join(scratch, folder, 'rule/plan-batch.ts')
  );
  return planBatchWith(rule.BatchPlanner);
}

function mutated(source: string, { file, find, become }: Mutant): string {
  const pieces = source.split(find);
  // A refactoring that loses the place of a mutant must not pass for a mutant that was caught.
  if (pieces.length !== 2) throw new RangeError(`${file} holds ${JSON.stringify(find)} ${pieces.length - 1} times`);
  return pieces.join(become);
}
