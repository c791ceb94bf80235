import { failure, integer, quoted, type ServerReply } from './replies.ts';

/** `COMMAND`, `COMMAND COUNT`, `COMMAND DOCS`: what clients ask to offer help at a prompt. */
export function commandCommand(
  { peerCommands }: { readonly peerCommands: ReadonlyMap<string, unknown> },
  [sent]: readonly Uint8Array[],
): ServerReply {
  const subcommand = Buffer.from(sent ?? [])
    .toString('latin1')
    .toUpperCase();
  if (subcommand === 'COUNT') return integer(peerCommands.size);
  // Nobody learns the language here: an empty book says that there is no help, and nothing else depends on it.
  if (subcommand === 'DOCS') return { kind: 'map', entries: [] };
  if (sent === undefined) return { kind: 'array', items: [] };
  return failure(`ERR unknown subcommand ${quoted(sent)} of COMMAND`);
}
