import { expect, test } from 'vitest';
import { PersistenceError } from '../../src/domain/errors.ts';
import { openServer } from '../integration/http-server/open-server.ts';
import { stubService } from '../integration/http-server/stub-service.ts';

// Browsers send a POST without a body to any address, from any page, and a repair takes one: a page could delete a
// blocked session of a service without tokens.
test('a page of another site changes nothing where no token is needed', async () => {
  let repairs = 0;
  const repair = async (): Promise<never> => {
    repairs += 1;
    throw new PersistenceError('NOT_OPEN', 'repaired');
  };
  await using server = await openServer({ service: stubService({ repair }) });
  const url = `${server.url}/v1/admin/sessions/a/repair?sequence=1&type=macp.session.delete.v1`;
  const post = async (origin: string | undefined): Promise<unknown> => {
    const answer = await fetch(url, { method: 'POST', headers: origin === undefined ? {} : { origin } });
    return ((await answer.json()) as { code: unknown }).code;
  };
  for (const origin of [
    'https://example.com',
    'http://localhost.example.com',
    'http://127.0.0.1.example.com',
    'null',
  ]) {
    expect(await post(origin), origin).toBe('FORBIDDEN');
  }
  expect(repairs).toBe(0);
  for (const origin of [undefined, 'http://localhost:3000', 'http://127.0.0.1:8080', 'http://[::1]']) {
    expect(await post(origin), origin).toBe('NOT_OPEN');
  }
});
