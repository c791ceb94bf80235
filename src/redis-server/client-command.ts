import type { ClientState } from './client-state.ts';
import { bulk, failure, integer, nothing, ok, quoted, type ServerReply } from './replies.ts';

const mostNameBytes = 1_024;

export const wrongName = failure('ERR Client names cannot contain spaces, newlines or special characters.');

/** A name that a client gives itself, or undefined where it may not be called so. */
export function clientName(sent: Uint8Array): string | undefined {
  const name = Buffer.from(sent).toString('latin1');
  return name.length <= mostNameBytes && /^[\x21-\x7e]*$/.test(name) ? name : undefined;
}

/** `CLIENT SETNAME name`, `GETNAME`, `ID`, `SETINFO LIB-NAME|LIB-VER value`. */
export function clientCommand(state: ClientState, [sent, ...args]: readonly Uint8Array[]): ServerReply {
  const subcommand = Buffer.from(sent ?? [])
    .toString('latin1')
    .toUpperCase();
  const wanted = argumentCounts[subcommand];
  if (wanted === undefined) return failure(`ERR unknown subcommand ${quoted(sent ?? new Uint8Array())} of CLIENT`);
  if (args.length !== wanted) {
    return failure(`ERR wrong number of arguments for 'client|${subcommand.toLowerCase()}' command`);
  }
  const [first = new Uint8Array()] = args;
  if (subcommand === 'ID') return integer(state.id);
  if (subcommand === 'GETNAME') return state.name === '' ? nothing : bulk(state.name);
  return subcommand === 'SETNAME' ? setName(state, first) : setInformation(first);
}

const argumentCounts: Readonly<Record<string, number>> = { ID: 0, GETNAME: 0, SETNAME: 1, SETINFO: 2 };

function setName(state: ClientState, sent: Uint8Array): ServerReply {
  const name = clientName(sent);
  if (name === undefined) return wrongName;
  state.name = name;
  return ok;
}

/** Clients tell which library they are: there is nothing to be done with it. */
function setInformation(attribute: Uint8Array): ServerReply {
  const known = ['LIB-NAME', 'LIB-VER'].includes(Buffer.from(attribute).toString('latin1').toUpperCase());
  return known ? ok : failure(`ERR Unrecognized option ${quoted(attribute)}`);
}
