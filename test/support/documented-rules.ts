import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/project.mjs';

/** The rules of the user that docs/bullmq.md describes, for the prefix `macp`. */
export function documentedRules(): readonly string[] {
  const [, rules = ''] =
    /^ACL SETUSER macp-queue on >SECRET ([^`]*)```/m.exec(readFileSync(join(root, 'docs/bullmq.md'), 'utf8')) ?? [];
  return rules.trim().split(/\s+/);
}
