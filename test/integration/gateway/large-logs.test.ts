import { expect, test } from 'vitest';
import { entryText } from '../../support/commands.ts';
import { anonymousMebibytes, mostMebibytes } from '../../support/footprint.ts';
import { askGateway, connectGateway, gatewayPort, untilGatewayOpen } from '../../support/gateway-client.ts';
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
  const port = await gatewayPort(gateway);
  for (let mark = 1; mark <= 200; mark += 1) await askGateway(port, 'RPUSH', 'macp:log:long', largeEntry(`m${mark}`));
  await askGateway(port, 'LRANGE', 'macp:log:long', '-1', '-1');
  const client = connectGateway(port);
  let most = 0;
  const look = setInterval(() => {
    most = Math.max(most, anonymousMebibytes(gateway.pid));
  }, 5);
  const entries = await client.lrangeBuffer('macp:log:long', 0, -1);
  clearInterval(look);
  // What was cut off, on a busy machine, was written again.
  const marks = new Set(entries.map((entry) => JSON.parse(entry.toString()).message_id));
  expect([...marks]).toEqual(Array.from({ length: 200 }, (_, index) => `m${index + 1}`));
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(mostMebibytes);
});
