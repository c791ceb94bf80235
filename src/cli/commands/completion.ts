import { buildSettings } from '../../compose/settings.ts';
import type { Command, CommandShape } from '../command.ts';
import { completionTable } from '../completion/completion-table.ts';
import { isShell, shells } from '../completion/shells.ts';

/** The command that prints completion scripts for `others` and itself. */
export function completionOf(others: readonly Command[]): Command {
  const shape: CommandShape = {
    name: 'completion',
    summary: 'Print a script that completes commands, options and their values in a shell',
    positionals: [{ name: 'SHELL', values: Object.keys(shells) }],
    options: [],
    settings: [],
    examples: [
      { line: 'completion bash > ~/.local/share/bash-completion/completions/macp-persist', meaning: 'bash' },
      { line: 'completion zsh > ~/.zfunc/_macp-persist', meaning: 'zsh, where ~/.zfunc stands in fpath' },
      { line: 'completion fish > ~/.config/fish/completions/macp-persist.fish', meaning: 'fish' },
    ],
  };
  return {
    shape,
    async run({ positionals: [shell = ''], output }) {
      if (!isShell(shell)) throw new TypeError(`there is no completion for ${shell}`);
      const table = completionTable([...others.map((other) => other.shape), shape], buildSettings());
      await output.text(shells[shell](table));
      return 'done';
    },
  };
}
