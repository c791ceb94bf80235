import { describe, expect, it } from 'vitest';
import { bytesOf, serdeVerdicts, weAccept, withField, withPolicyNumber } from '../support/serde-verdicts.ts';

const { values, fieldVerdicts, wholeDocuments, policyNumbers, acceptedByUpstreamOnly } = serdeVerdicts;

describe('what upstream rejects is refused, and nothing else', () => {
  for (const kind of ['LogEntry', 'PersistedSession'] as const) {
    it.each(Object.entries(fieldVerdicts[kind]))(`${kind}.%s is read as upstream reads it`, (field, letters) => {
      expect(letters).toHaveLength(values.length);
      const disagreements = values.filter(
        (value, index) => weAccept(kind, withField(kind, field, value)) !== (letters[index] === 'a'),
      );
      expect(disagreements).toEqual([]);
    });
  }

  it('whole documents are read as upstream reads them', () => {
    const disagreements = wholeDocuments.filter((document) => {
      return weAccept(document.kind, bytesOf(document)) !== document.accepted;
    });
    expect(disagreements).toEqual([]);
    expect(wholeDocuments.filter(({ accepted }) => accepted).length).toBeGreaterThan(50);
  });

  it('numbers of a policy become infinite where upstream says so, to the last digit', () => {
    const disagreements = Object.entries(policyNumbers).filter(([number, accepted]) => {
      return weAccept('PersistedSession', withPolicyNumber(number)) !== accepted;
    });
    expect(disagreements).toEqual([]);
    expect(new Set(Object.values(policyNumbers))).toEqual(new Set([true, false]));
  });

  it('documents written as arrays and choices written as objects are refused, because upstream never writes them', () => {
    for (const { kind, text } of acceptedByUpstreamOnly) expect(weAccept(kind, text), text).toBe(false);
  });
});
