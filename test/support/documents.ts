import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { root } from '../../scripts/project.mjs';

/** What differs from run to run in what documents show: names of services, times, sizes. */
export function steady(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '…')
    .replaceAll(/in [0-9.]+ s \([0-9]+ a second\)/g, 'in … s (… a second)')
    .replaceAll(/[0-9]+ records, [0-9]+ bytes/g, '… records, … bytes');
}

/** Programs that documents call by name, first in the path. */
export interface PlacedPrograms extends Disposable {
  /** For `PATH`. */
  readonly path: string;
}

/** Places `macp-persist`, and other programs by their names: the file of each, as whose `$0` it runs. */
export function placePrograms(others: Readonly<Record<string, string>> = {}): PlacedPrograms {
  const directory = mkdtempSync(join(tmpdir(), 'documents-bin-'));
  const place = (name: string, command: string): void =>
    writeFileSync(join(directory, name), `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
  place('macp-persist', `'${process.execPath}' '${join(root, 'dist/src/cli/main.js')}'`);
  for (const [name, file] of Object.entries(others)) place(name, `'${file}'`);
  return {
    path: [directory, process.env['PATH']].join(delimiter),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  };
}
