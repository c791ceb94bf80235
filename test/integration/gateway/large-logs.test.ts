import { expect, test } from 'vitest';
import { entryText } from '../../support/commands.ts';
import { anonymousMebibytes, mostMebibytes } from '../../support/footprint.ts';
import { connectGateway, gatewayPort, untilGatewayOpen } from '../../support/gateway-client.ts';
import { QueueProgram } from '../../support/queue-program.ts';

const mebibyte = 2 ** 20;

/** A valid entry of a mebibyte: fields that nobody knows are kept. */
function largeEntry(mark: string): string {
  const entry = entryText(mark);
  return `${entry.slice(0, -1)},"note":"${'x'.repeat(mebibyte - entry.length)}"}`;
}

test('a log of 200 MiB reaches a client that reads it, and never lies in memory whole', async () => {
  await using program = new QueueProgram({});
  const gateway = program.start(['start', '--gateway-port', '0']);
  await untilGatewayOpen(gateway);
  const client = connectGateway(await gatewayPort(gateway));
  for (let mark = 1; mark <= 200; mark += 1) {
    expect(await client.rpush('macp:log:long', largeEntry(`m${mark}`))).toBe(mark);
  }
  let most = 0;
  const look = setInterval(() => {
    most = Math.max(most, anonymousMebibytes(gateway.pid));
  }, 5);
  const entries = await client.lrangeBuffer('macp:log:long', 0, -1);
  clearInterval(look);
  expect(entries.map((entry) => JSON.parse(entry.toString()).message_id)).toEqual(
    Array.from({ length: 200 }, (_, index) => `m${index + 1}`),
  );
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(mostMebibytes);
});
