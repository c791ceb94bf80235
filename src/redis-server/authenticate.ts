import type { ClientState } from './client-state.ts';
import { failure, ok, type ServerReply } from './replies.ts';

export const wrongPassword = failure('WRONGPASS invalid username-password pair or user is disabled.');

/** `AUTH [user] password`. */
export function authenticate(state: ClientState, args: readonly Uint8Array[]): ServerReply {
  const [first = new Uint8Array(), second] = args;
  const [user, password] = second === undefined ? [Buffer.from('default'), first] : [first, second];
  if (!state.needsPassword && second === undefined) {
    return failure('ERR AUTH <password> called without any password configured for the default user.');
  }
  return state.authenticate(user, password) ? ok : wrongPassword;
}
