import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';

/** What a server shows to its clients, in PEM. */
export interface ServerIdentity {
  readonly certificate: Uint8Array;
  readonly key: Uint8Array;
}

/** Puts TLS over connections that were accepted. Throws when the identity is none. */
export function tlsLayer({ certificate, key }: ServerIdentity): (accepted: Socket) => TLSSocket {
  const secureContext = createSecureContext({ cert: Buffer.from(certificate), key: Buffer.from(key) });
  return (accepted) => new TLSSocket(accepted, { isServer: true, secureContext });
}
