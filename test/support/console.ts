import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanEnvironment } from './program.ts';

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

/** Stands before each prompt: there a line begins, even where what was printed before did not end its own. */
const prompt = '\u0001';

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
  const shown = commands.map(
    (command) => `printf '%s' ${quoted(prompt + command)}\n${command.replaceAll(/^[$>] /gm, '')}`,
  );
  const script = [...shown, `printf '%s' '${prompt}'`].join('');
  // A file, because a command that is left behind would hold a pipe open.
  const complaints = join(directory, 'console.stderr');
  const file = openSync(complaints, 'w');
  const { stdout } = spawnSync('bash', ['-O', 'expand_aliases', '-c', script], {
    cwd: directory,
    encoding: 'utf8',
    timeout: 120_000,
    stdio: ['ignore', 'pipe', file],
    env: { ...cleanEnvironment, ...environment },
  });
  closeSync(file);
  const printed = stdout.replaceAll(new RegExp(`(?<=[^\\n])${prompt}`, 'g'), '\n').replaceAll(prompt, '');
  return { commands: commands.length, stdout: printed, stderr: readFileSync(complaints, 'utf8') };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
