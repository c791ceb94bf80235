import { wrongPassword } from './authenticate.ts';
import { clientName, wrongName } from './client-command.ts';
import type { ClientState } from './client-state.ts';
import type { Protocol } from './encode-reply.ts';
import { redisVersion } from './information.ts';
import { bulk, failure, integer, quoted, type ServerReply } from './replies.ts';

/** What a HELLO asks for. */
interface Greeting {
  readonly protocol: Protocol | undefined;
  readonly login?: { readonly user: Uint8Array; readonly password: Uint8Array };
  readonly name?: string;
}

/** `HELLO [version [AUTH user password] [SETNAME name]]`: all of it is done, or nothing. */
export function hello(state: ClientState, args: readonly Uint8Array[]): ServerReply {
  const greeting = readGreeting(args);
  if ('kind' in greeting) return greeting;
  const { protocol, login, name } = greeting;
  if (login === undefined && !state.isAuthenticated) return needsLogin;
  if (login !== undefined && !state.authenticate(login.user, login.password)) return wrongPassword;
  state.protocol = protocol ?? state.protocol;
  state.name = name ?? state.name;
  return {
    kind: 'map',
    entries: [
      ['server', bulk('macp-persist')],
      ['version', bulk(redisVersion)],
      ['proto', integer(state.protocol)],
      ['id', integer(state.id)],
      ['mode', bulk('standalone')],
      ['role', bulk('master')],
      ['modules', { kind: 'array', items: [] }],
    ],
  };
}

const needsLogin = failure(
  'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
);

function readGreeting([version, ...options]: readonly Uint8Array[]): Greeting | ServerReply {
  if (version === undefined) return { protocol: undefined };
  const protocol = textOf(version);
  if (!/^\d{1,9}$/.test(protocol)) return failure('ERR Protocol version is not an integer or out of range');
  if (protocol !== '2' && protocol !== '3') return failure('NOPROTO unsupported protocol version');
  let greeting: Greeting = { protocol: protocol === '3' ? 3 : 2 };
  const rest = [...options];
  for (let option = rest.shift(); option !== undefined; option = rest.shift()) {
    const added = readOption(textOf(option).toUpperCase(), rest);
    if (added === undefined) return failure(`ERR Syntax error in HELLO option ${quoted(option)}`);
    if ('kind' in added) return added;
    greeting = { ...greeting, ...added };
  }
  return greeting;
}

/** Takes what belongs to the option off `rest`. */
function readOption(option: string, rest: Uint8Array[]): Omit<Greeting, 'protocol'> | ServerReply | undefined {
  if (option === 'AUTH') {
    const [user, password] = rest.splice(0, 2);
    return user === undefined || password === undefined ? undefined : { login: { user, password } };
  }
  const sent = option === 'SETNAME' ? rest.shift() : undefined;
  if (sent === undefined) return undefined;
  const name = clientName(sent);
  return name === undefined ? wrongName : { name };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
