import { hash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every name below a directory, with the bytes of files and when anything was last changed. */
export function fingerprint(directory: string): ReadonlyMap<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return new Map(
    names.sort().map((name) => {
      const path = join(directory, name);
      const found = lstatSync(path);
      const content = found.isFile() ? hash('sha256', readFileSync(path)) : 'no file';
      return [name, `${content} ${found.mtimeMs} ${found.mode}`];
    }),
  );
}
