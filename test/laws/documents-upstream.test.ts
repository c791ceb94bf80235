import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkData } from '../../src/domain/documents/check-data.ts';
import { parseSessionId } from '../../src/domain/identifiers.ts';

type Kind = 'LogEntry' | 'PersistedSession';

interface WholeDocument {
  readonly kind: Kind;
  readonly accepted: boolean;
  readonly text?: string;
  readonly base64?: string;
}

interface Verdicts {
  readonly documents: Record<Kind, Record<string, string>>;
  readonly values: readonly string[];
  readonly fieldVerdicts: Record<Kind, Record<string, string>>;
  readonly wholeDocuments: readonly WholeDocument[];
  readonly policyNumbers: Record<string, boolean>;
  readonly acceptedByUpstreamOnly: readonly { readonly kind: Kind; readonly text: string }[];
}

const verdicts = JSON.parse(
  readFileSync(new URL('../fixtures/serde-verdicts.json', import.meta.url), 'utf8'),
) as Verdicts;

const session = parseSessionId('s1');
const types: Record<Kind, string> = { LogEntry: 'macp.log.append.v1', PersistedSession: 'macp.session.save.v1' };

/** The document of the fixture with one field's value replaced by another text, or, if that is empty, left out. */
function withField(kind: Kind, field: string, value: string): string {
  const members = Object.entries(verdicts.documents[kind]).map(([name, usual]): [string, string] => [
    name,
    name === field ? value : usual,
  ]);
  return `{${members.flatMap(([name, text]) => (text === '' ? [] : [`"${name}":${text}`])).join(',')}}`;
}

/** Our verdict. Another session id than the command's is our own rule, which serde knows nothing of. */
function accepts(kind: Kind, document: string | Uint8Array): boolean {
  const data = typeof document === 'string' ? Buffer.from(document, 'utf8') : document;
  const { refusal } = checkData(types[kind], session, data);
  return refusal === undefined || refusal.message.endsWith("not the command's session");
}

describe('what upstream rejects is refused, and nothing else', () => {
  for (const kind of ['LogEntry', 'PersistedSession'] as const) {
    it.each(Object.entries(verdicts.fieldVerdicts[kind]))(
      `${kind}.%s is read as upstream reads it`,
      (field, letters) => {
        expect(letters).toHaveLength(verdicts.values.length);
        const disagreements = verdicts.values.filter(
          (value, index) => accepts(kind, withField(kind, field, value)) !== (letters[index] === 'a'),
        );
        expect(disagreements).toEqual([]);
      },
    );
  }

  it('whole documents are read as upstream reads them', () => {
    const disagreements = verdicts.wholeDocuments.filter(({ kind, accepted, text, base64 }) => {
      return accepts(kind, text ?? Buffer.from(base64 ?? '', 'base64')) !== accepted;
    });
    expect(disagreements).toEqual([]);
    expect(verdicts.wholeDocuments.filter(({ accepted }) => accepted).length).toBeGreaterThan(50);
  });

  it('numbers of a policy become infinite where upstream says so, to the last digit', () => {
    const policy = (number: string): string =>
      `{"policy_id":"p","mode":"m","description":"d","rules":${number},"schema_version":1}`;
    const disagreements = Object.entries(verdicts.policyNumbers).filter(([number, accepted]) => {
      return (
        accepts('PersistedSession', withField('PersistedSession', 'policy_definition', policy(number))) !== accepted
      );
    });
    expect(disagreements).toEqual([]);
    expect(new Set(Object.values(verdicts.policyNumbers))).toEqual(new Set([true, false]));
  });

  it('documents written as arrays and choices written as objects are refused, because upstream never writes them', () => {
    for (const { kind, text } of verdicts.acceptedByUpstreamOnly) expect(accepts(kind, text), text).toBe(false);
  });
});
