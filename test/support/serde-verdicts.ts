import { readFileSync } from 'node:fs';
import { checkData } from '../../src/domain/documents/check-data.ts';
import { parseSessionId, type SessionId } from '../../src/domain/identifiers.ts';

export type Kind = 'LogEntry' | 'PersistedSession';

interface WholeDocument {
  readonly kind: Kind;
  readonly accepted: boolean;
  readonly text?: string;
  readonly base64?: string;
}

/** What `test/fixtures/serde-verdicts.json` holds; `about` in it says what that means. */
interface Verdicts {
  readonly documents: Record<Kind, Record<string, string>>;
  readonly values: readonly string[];
  readonly fieldVerdicts: Record<Kind, Record<string, string>>;
  readonly wholeDocuments: readonly WholeDocument[];
  readonly policyNumbers: Record<string, boolean>;
  readonly acceptedByUpstreamOnly: readonly { readonly kind: Kind; readonly text: string }[];
}

/** What upstream's own code said of documents when it was asked. The interop suite asks it again. */
export const serdeVerdicts = JSON.parse(
  readFileSync(new URL('../fixtures/serde-verdicts.json', import.meta.url), 'utf8'),
) as Verdicts;

const usualSession = parseSessionId('s1');
const types = {
  LogEntry: 'macp.log.append.v1',
  LogEntries: 'macp.log.replace.v1',
  PersistedSession: 'macp.session.save.v1',
} as const;

/** The document of the fixture with one field's value replaced by another text, or, if that is empty, left out. */
export function withField(kind: Kind, field: string, value: string): string {
  const members = Object.entries(serdeVerdicts.documents[kind]).map(([name, usual]): [string, string] => [
    name,
    name === field ? value : usual,
  ]);
  return `{${members.flatMap(([name, text]) => (text === '' ? [] : [`"${name}":${text}`])).join(',')}}`;
}

/** The snapshot of the fixture with a policy whose rules are this number. */
export function withPolicyNumber(number: string): string {
  const policy = `{"policy_id":"p","mode":"m","description":"d","rules":${number},"schema_version":1}`;
  return withField('PersistedSession', 'policy_definition', policy);
}

/** A whole document of the fixture. */
export function bytesOf({ text, base64 }: WholeDocument): Uint8Array {
  return text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text, 'utf8');
}

/**
 * Our verdict on a document of this session, or undefined where it is of another one: that we refuse by a rule of our
 * own, which serde knows nothing of.
 */
export function ourVerdict(
  kind: keyof typeof types,
  document: string | Uint8Array,
  session: SessionId = usualSession,
): boolean | undefined {
  const data = typeof document === 'string' ? Buffer.from(document, 'utf8') : document;
  const { refusal } = checkData(types[kind], session, data);
  return refusal?.message.endsWith("not the command's session") ? undefined : refusal === undefined;
}

/** As {@link ourVerdict}; a document of another session is accepted. */
export function weAccept(kind: keyof typeof types, document: string | Uint8Array): boolean {
  return ourVerdict(kind, document) ?? true;
}
