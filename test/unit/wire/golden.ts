import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../../scripts/project.mjs';

export const goldenFolders = ['v0.4.0', 'v0.13.0', 'edge'] as const;

/** The recorded commands of a folder, line by line: split at line feeds only, because texts hold raw U+2028. */
export function goldenLines(folder: (typeof goldenFolders)[number]): readonly Uint8Array[] {
  const bytes = readFileSync(join(root, 'test/fixtures/golden', folder, 'commands.ndjson'));
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(0x0a, start);
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return lines;
}
