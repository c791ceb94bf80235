import { timingSafeEqual } from 'node:crypto';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { findToken, tokenDigest } from '../../../src/http-server/known-tokens.ts';

vi.mock('node:crypto', async (original) => {
  const crypto = await original<typeof import('node:crypto')>();
  return { ...crypto, timingSafeEqual: vi.fn(crypto.timingSafeEqual) };
});

const known = ['a', 'b', 'c'].map((name) => ({ name, digest: tokenDigest(name), scopes: ['read'] as const }));

beforeEach(() => {
  vi.mocked(timingSafeEqual).mockClear();
});

describe('a token that was sent', () => {
  test.each(['a', 'b', 'c', 'none', '', 'a'.repeat(10_000)])(
    'is compared with every known one in constant time, whichever it is',
    (sent) => {
      expect(findToken(known, sent)?.name).toBe(known.find(({ name }) => name === sent)?.name);
      const compared = vi.mocked(timingSafeEqual).mock.calls;
      expect(compared).toEqual(known.map(({ digest }) => [digest, tokenDigest(sent)]));
      expect(compared.flat().every((bytes) => bytes.byteLength === 32)).toBe(true);
    },
  );
});
