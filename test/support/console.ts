import { spawnSync } from 'node:child_process';

/** What a shell printed, and what its commands were. */
export interface ConsoleRun {
  readonly commands: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The text of all fenced blocks of a language in a document, one after another. */
export function blocksOf(markdown: string, language: string): readonly string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms');
  return [...markdown.matchAll(fence)].map(([, block = '']) => block);
}

/**
 * Runs what a document shows at a console, in one shell: lines that begin with `$ ` are commands, those with `> ` go
 * on with the one before, and both are printed as they stand there, so that the output is the text of the document.
 */
export function runConsole(
  text: string,
  directory: string,
  environment: Readonly<Record<string, string>> = {},
): ConsoleRun {
  const commands = text.match(/^\$ .*\n(?:> .*\n)*/gm) ?? [];
  const script = commands.map((shown) => `printf '%s' ${quoted(shown)}\n${shown.replaceAll(/^[$>] /gm, '')}`).join('');
  const { stdout, stderr } = spawnSync('bash', ['-O', 'expand_aliases', '-c', script], {
    cwd: directory,
    encoding: 'utf8',
    timeout: 120_000,
    env: { ...process.env, ...environment },
  });
  return { commands: commands.length, stdout, stderr };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
