import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/project.mjs';

const golden = (path: string): string => readFileSync(join(root, 'test/fixtures/golden', path), 'utf8');

/** Recorded streams of different sessions: together they fill one store. */
export const goldenCommands = ['v0.4.0/commands.ndjson', 'v0.13.0/commands.ndjson', 'edge/commands.ndjson']
  .map(golden)
  .join('');
export const goldenCount = goldenCommands.split('\n').length - 1;

/** The dump of a store that holds all of them: a line a session, in the order of the bytes of their ids. */
export const goldenDump = ['v0.4.0/expected.ndjson', 'v0.13.0/expected.ndjson', 'edge/expected-verbatim.ndjson']
  .flatMap((dump) => golden(dump).split('\n').slice(0, -1))
  .map((line) => ({ line, id: Buffer.from(JSON.parse(line).session_id) }))
  .sort((one, other) => Buffer.compare(one.id, other.id))
  .map(({ line }) => `${line}\n`)
  .join('');
