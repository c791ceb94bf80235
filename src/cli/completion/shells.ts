import { bashScript } from './bash.ts';
import type { CompletionTable } from './completion-table.ts';
import { fishScript } from './fish.ts';
import { zshScript } from './zsh.ts';

/** The completion script of each shell. They are static: a shell need not start the program to complete. */
export const shells = { bash: bashScript, zsh: zshScript, fish: fishScript } as const satisfies Record<
  string,
  (table: CompletionTable) => string
>;

export function isShell(name: string): name is keyof typeof shells {
  return Object.hasOwn(shells, name);
}
