/** A client sent what is no request, or a larger one than it may: nothing that follows can be read. */
export class ProtocolError extends Error {
  constructor(message: string) {
    super(`Protocol error: ${message}`);
    this.name = 'ProtocolError';
  }
}

/** What a length stands before, as Redis calls it. */
export type SentKind = 'multibulk' | 'bulk';

/** What Redis says of lengths that it does not take. */
export function badLength(kind: SentKind): string {
  return `invalid ${kind} length`;
}
