import { type SessionId, sessionIdProblem } from '../domain/identifiers.ts';

/** What macp-runtime keeps of a session under a key of its own. */
const documentKinds = ['session', 'log', 'receipt', 'anchor'] as const;
export type DocumentKind = (typeof documentKinds)[number];

/** A key of macp-runtime's Redis layout: the set of all session ids, or one document of a session. */
export type Key =
  | { readonly kind: 'index' }
  | { readonly kind: DocumentKind; readonly session: SessionId }
  | { readonly kind: 'foreign'; readonly problem: string };

const mostShown = 120;

/** Reads the keys that begin with `prefix`, as `{prefix}:log:{session}`; all others are foreign. */
export class Keys {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** What `bytes` is the key of. */
  read(bytes: Uint8Array): Key {
    const text = textOf(bytes);
    if (text === undefined) return foreign(bytes, 'is not UTF-8');
    const start = `${this.#prefix}:`;
    if (!text.startsWith(start)) return foreign(bytes, `does not begin with ${start}`);
    const rest = text.slice(start.length);
    if (rest === 'sessions') return { kind: 'index' };
    const kind = documentKinds.find((one) => rest.startsWith(`${one}:`));
    if (kind === undefined) return foreign(bytes, 'is of no kind that macp-runtime has');
    const session = rest.slice(kind.length + 1);
    const problem = sessionIdProblem(session);
    return problem === undefined
      ? { kind, session: session as SessionId }
      : foreign(bytes, `holds a session id that is not usable: ${problem}`);
  }
}

/** A session id as it stands in the set of all of them, or what is wrong with it. */
export function readMember(bytes: Uint8Array): SessionId | { readonly problem: string } {
  const text = textOf(bytes);
  const problem = text === undefined ? 'it is not UTF-8' : sessionIdProblem(text);
  if (problem === undefined) return text as SessionId;
  return { problem: `session id ${show(bytes)} is not usable: ${problem}` };
}

/** The bytes as one line of text that fits into an error. */
export function show(bytes: Uint8Array): string {
  const text = JSON.stringify(Buffer.from(bytes.subarray(0, mostShown)).toString('utf8'));
  return bytes.length > mostShown ? `${text}…` : text;
}

function foreign(bytes: Uint8Array, problem: string): Key {
  return { kind: 'foreign', problem: `key ${show(bytes)} ${problem}` };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
