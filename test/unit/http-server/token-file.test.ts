import { hash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { findToken } from '../../../src/http-server/known-tokens.ts';
import { readTokenFile } from '../../../src/http-server/token-file.ts';

const secret = 'canary-0123456789abcdef';
const sha256 = hash('sha256', secret);
const read = (content: unknown) => readTokenFile(JSON.stringify(content), '/etc/tokens.json');

describe('a file of tokens', () => {
  test('knows a token by itself or by its SHA-256, with its scopes', () => {
    for (const entry of [{ token: secret }, { sha256 }, { sha256: sha256.toUpperCase() }]) {
      const known = read({ tokens: [{ name: 'ops', scopes: ['read', 'admin'], ...entry }] });
      expect(findToken(known, secret)).toMatchObject({ name: 'ops', scopes: ['read', 'admin'] });
      expect(findToken(known, `${secret}x`)).toBeUndefined();
      expect(findToken(known, sha256)).toBeUndefined();
    }
  });

  test('finds any of its tokens, wherever it stands', () => {
    const names = ['first', 'second', 'third'];
    const known = read({ tokens: names.map((name) => ({ name, token: `${secret}-${name}`, scopes: ['read'] })) });
    expect(names.map((name) => findToken(known, `${secret}-${name}`)?.name)).toEqual(names);
  });

  const entry = { name: 'ops', token: secret, scopes: ['read'] };
  test.each([
    ['text that is not JSON', `{"tokens":"${secret}`, /it is not JSON/],
    ['another document', '[]', /the file must be an object/],
    ['no tokens', '{}', /tokens must be an array/],
    ['a member that nobody knows', { tokens: [], [secret]: 1 }, /the file has a member that is not known here/],
    ['a token that is no object', { tokens: [secret] }, /tokens\.0 must be an object/],
    ['a token with a member that nobody knows', { tokens: [{ ...entry, [secret]: 1 }] }, /tokens\.0 has a member/],
    ['no name', { tokens: [{ ...entry, name: undefined }] }, /tokens\.0\.name must be a text/],
    ['an empty name', { tokens: [{ ...entry, name: '' }] }, /tokens\.0\.name must not be empty/],
    ['no scopes', { tokens: [{ ...entry, scopes: undefined }] }, /tokens\.0\.scopes must be an array/],
    ['empty scopes', { tokens: [{ ...entry, scopes: [] }] }, /tokens\.0\.scopes must name one/],
    [
      'another scope',
      { tokens: [{ ...entry, scopes: [secret] }] },
      /tokens\.0\.scopes\.0 must be one of read, write, admin/,
    ],
    ['a short token', { tokens: [{ ...entry, token: 'canary' }] }, /tokens\.0\.token must have at least 16 characters/],
    [
      'a token that no header holds',
      { tokens: [{ ...entry, token: `${secret} é` }] },
      /tokens\.0\.token must be of letters/,
    ],
    ['a number as token', { tokens: [{ ...entry, token: 1 }] }, /tokens\.0\.token must be a text/],
    ['no token', { tokens: [{ ...entry, token: undefined }] }, /tokens\.0 must have either token or sha256/],
    ['both', { tokens: [{ ...entry, sha256 }] }, /tokens\.0 must have either token or sha256/],
    [
      'a short digest',
      { tokens: [{ ...entry, token: undefined, sha256: 'abcd' }] },
      /tokens\.0\.sha256 must have 64 hex/,
    ],
    [
      'one name twice',
      { tokens: [entry, { ...entry, token: `${secret}2` }] },
      /tokens\.1 has the name of an earlier one/,
    ],
    ['one token twice', { tokens: [entry, { name: 'b', sha256, scopes: ['read'] }] }, /tokens\.1 is the same token/],
  ])('is refused with %s, and nothing of it is repeated', (_, content, message) => {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    try {
      readTokenFile(text, '/etc/tokens.json');
    } catch (error) {
      expect(error).toMatchObject({ code: 'INVALID_CONFIGURATION', message: expect.stringMatching(message) });
      expect(String(error)).toContain('/etc/tokens.json');
      expect(`${error} ${(error as Error).cause}`).not.toContain('canary');
      return;
    }
    expect.unreachable();
  });

  test('names every mistake at once', () => {
    const content = {
      tokens: [
        { ...entry, name: '' },
        { ...entry, scopes: ['none'] },
      ],
    };
    expect(() => read(content)).toThrow(/tokens\.0\.name .*; tokens\.1\.scopes\.0 /);
  });
});
