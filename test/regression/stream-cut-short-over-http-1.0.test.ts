import { expect, test } from 'vitest';
import { openServer } from '../integration/http-server/open-server.ts';
import { sendRaw } from '../integration/http-server/raw.ts';
import { stubService } from '../integration/http-server/stub-service.ts';

// In HTTP/1.0, which proxies speak unless told otherwise, a stream ends with its connection: one that failed midway
// was well-formed, only shorter.
test.each([0, 1, 2, 50])('a log of %i pages arrives whole over HTTP/1.0, or not at all', async (pages) => {
  let closed = 0;
  async function* log(): AsyncGenerator<readonly Uint8Array[]> {
    try {
      for (let read = 0; read < pages; read += 1) yield [Buffer.from('{"a":1}')];
    } finally {
      closed += 1;
    }
  }
  await using server = await openServer({ service: stubService({ log }) });
  const answer = await sendRaw(server, 'GET /v1/sessions/a/log HTTP/1.0\r\nHost: localhost\r\n\r\n');
  if (pages < 2) {
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).toContain(`content-length: ${pages * 8}\r\n`);
  } else expect(answer).toMatch(/^HTTP\/1\.1 505 [\s\S]*"code":"INVALID_REQUEST"/);
  expect(closed).toBe(1);
});
