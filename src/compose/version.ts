import { readFile } from 'node:fs/promises';

/** The version of this package. */
export async function packageVersion(): Promise<string> {
  for (const place of ['../../package.json', '../../../package.json']) {
    const text = await readFile(new URL(place, import.meta.url), 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const content: { readonly version: string } = JSON.parse(text);
    return content.version;
  }
  throw new Error('package.json is missing beside this program');
}
