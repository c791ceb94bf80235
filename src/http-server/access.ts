import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { PersistenceError } from '../domain/errors.ts';
import type { KnownToken, Scope } from './known-tokens.ts';
import { ProblemError } from './problem.ts';
import type { TokenSource } from './tokens.ts';

/** Hooks to run before a request is looked at any further. */
export type AccessHooks = readonly ((request: FastifyRequest) => Promise<void>)[];

/** By scope, what a request must pass that needs it. */
export function accessHooks(tokens: TokenSource | undefined): Readonly<Record<Scope, AccessHooks>> {
  if (tokens === undefined) return { read: [], write: [], admin: [] };
  const needs = (scope: Scope): AccessHooks => [(request) => authorize(tokens, scope, request.headers.authorization)];
  return { read: needs('read'), write: needs('write'), admin: needs('admin') };
}

const bearer = /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i;

/** Throws `UNAUTHENTICATED` or `FORBIDDEN` unless the header carries a token that allows `scope`. */
async function authorize(tokens: TokenSource, scope: Scope, header: string | undefined): Promise<void> {
  const sent = header === undefined ? undefined : bearer.exec(header)?.[1];
  if (sent === undefined) {
    const message = 'a header "Authorization: Bearer TOKEN" is needed';
    throw new PersistenceError('UNAUTHENTICATED', message);
  }
  const token = await tokens.find(sent);
  if (token === undefined) {
    const headers = { 'www-authenticate': 'Bearer realm="macp-persist", error="invalid_token"' };
    throw new ProblemError('UNAUTHENTICATED', 'the bearer token is none that this service knows', { headers });
  }
  if (!allows(token, scope)) {
    const message = `the token ${JSON.stringify(token.name)} does not have the scope ${scope}`;
    const headers = { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` };
    throw new ProblemError('FORBIDDEN', message, { headers });
  }
}

function allows({ scopes }: KnownToken, scope: Scope): boolean {
  return scopes.includes(scope) || scopes.includes('admin');
}

const loopbackName = /^(?:localhost|[a-z0-9.-]+\.localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]+)?$/i;

/**
 * Throws `INVALID_REQUEST` where HTTP/1.1 demands a host and there is none. With `loopbackOnly`, throws `FORBIDDEN`
 * unless the request was meant for this machine, and made here: where no token is needed, a page on another site could
 * otherwise reach the service, through a name that it made point here (DNS rebinding), or by sending what browsers send
 * across sites without asking, such as a POST without a body.
 */
export function checkHost({ headers: { host, origin }, httpVersion }: IncomingMessage, loopbackOnly: boolean): void {
  if (host === undefined && httpVersion === '1.1') {
    throw new PersistenceError('INVALID_REQUEST', 'a header "Host" is needed');
  }
  if (!loopbackOnly) return;
  if (host === undefined || !loopbackName.test(host)) {
    const message = 'without tokens only requests to a name of this machine are taken: use 127.0.0.1 or localhost';
    throw new PersistenceError('FORBIDDEN', message);
  }
  if (origin === undefined || loopbackName.test(origin.replace(/^https?:\/\//, ''))) return;
  throw new PersistenceError('FORBIDDEN', 'without tokens no requests are taken from pages of other sites');
}
