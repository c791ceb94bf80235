import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { entryText, snapshotText } from '../../support/commands.ts';
import { connectGateway, gatewayPort, untilGatewayOpen } from '../../support/gateway-client.ts';
import { freshDirectory, runProgram } from '../../support/program.ts';
import { RunningProgram } from '../../support/running-program.ts';

let directory = '';
beforeEach(() => {
  directory = freshDirectory();
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** `start` with a gateway, and how a client gets there. */
async function startGateway(words: readonly string[] = []): Promise<{ program: RunningProgram; port: number }> {
  const all = ['start', '--gateway-port', '0', '--http-port', '0', ...words];
  const program = new RunningProgram(all, { directory });
  await untilGatewayOpen(program);
  return { program, port: await gatewayPort(program) };
}

const keysOf = (session: string): readonly string[] =>
  ['session', 'log', 'receipt', 'anchor'].map((kind) => `macp:${kind}:${session}`);

describe('a runtime that writes through `start`', () => {
  test('finds everything again after the process was killed, byte for byte', async () => {
    const { program, port } = await startGateway();
    const client = connectGateway(port);
    const receipt = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    expect(await client.smembers('macp:sessions')).toEqual([]);
    expect(await client.sadd('macp:sessions', 'one')).toBe(1);
    for (let mark = 1; mark <= 20; mark += 1)
      expect(await client.rpush('macp:log:one', entryText(`m${mark}`))).toBe(mark);
    expect(await client.set('macp:session:one', snapshotText('s1', 'one'))).toBe('OK');
    expect(await client.setnx('macp:receipt:one', receipt)).toBe(1);
    expect(await client.setex('macp:anchor:one', 90_000, 'anchor')).toBe('OK');
    await program.stop('SIGKILL');
    const { program: next, port: nextPort } = await startGateway();
    await using _ = next;
    const again = connectGateway(nextPort);
    expect(await again.smembers('macp:sessions')).toEqual(['one']);
    expect(await again.lrange('macp:log:one', 0, -1)).toEqual(
      Array.from({ length: 20 }, (__, index) => entryText(`m${index + 1}`)),
    );
    expect(await again.lrange('macp:log:one', -3, -2)).toEqual([entryText('m18'), entryText('m19')]);
    expect(await again.get('macp:session:one')).toBe(snapshotText('s1', 'one'));
    expect(await again.getBuffer('macp:receipt:one')).toEqual(receipt);
    expect(await again.get('macp:anchor:one')).toBe('anchor');
    expect(await again.rpush('macp:log:one', entryText('m21'))).toBe(21);
  });

  test('replaces logs and deletes sessions as it does with Redis', async () => {
    const { program, port } = await startGateway();
    await using _ = program;
    const client = connectGateway(port);
    for (const mark of ['m1', 'm2']) await client.rpush('macp:log:one', entryText(mark));
    const replaced = client.multi().del('macp:log:one').rpush('macp:log:one', entryText('checkpoint'));
    expect(await replaced.exec()).toEqual([
      [null, 1],
      [null, 1],
    ]);
    expect(await client.lrange('macp:log:one', 0, -1)).toEqual([entryText('checkpoint')]);
    const pipeline = client.pipeline();
    for (const key of keysOf('one')) pipeline.del(key);
    expect(await pipeline.srem('macp:sessions', 'one').exec()).toEqual([0, 1, 0, 0, 1].map((count) => [null, count]));
    expect(await client.exists(...keysOf('one'), 'macp:sessions')).toBe(0);
  });

  test('writes many sessions at once, and after SIGTERM finds exactly what it was told is there', async () => {
    const { program, port } = await startGateway();
    const client = connectGateway(port);
    const told = new Map<string, number>();
    const writing = Array.from({ length: 16 }, async (_, writer) => {
      for (let mark = 1; mark <= 1_000; mark += 1) {
        const length = await client.rpush(`macp:log:s${writer}`, entryText(`m${mark}`)).catch(() => undefined);
        if (length === undefined) return;
        told.set(`s${writer}`, length);
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { code } = await program.stop('SIGTERM');
    await Promise.all(writing);
    expect(code).toBe(0);
    const { program: next, port: nextPort } = await startGateway();
    await using _ = next;
    const again = connectGateway(nextPort);
    expect(told.size).toBe(16);
    for (const [session, length] of told) {
      const entries = await again.lrange(`macp:log:${session}`, 0, -1);
      // One more may be there of which it was told nothing.
      expect([length, length + 1]).toContain(entries.length);
      expect(entries).toEqual(entries.map((__, index) => entryText(`m${index + 1}`)));
    }
  });

  test('shows the password that is set, and status, readiness and metrics tell of it', async () => {
    const { program, port } = await startGateway(['--gateway-password', 'a secret']);
    await using _ = program;
    await expect(connectGateway(port).smembers('macp:sessions')).rejects.toThrow(/NOAUTH|Connection is closed/);
    expect(await connectGateway(port, { password: 'a secret' }).smembers('macp:sessions')).toEqual([]);
    expect(program.said).not.toContain('a secret');
    const url = await program.url();
    const status = (await (await fetch(`${url}/v1/admin/status`)).json()) as { gateway: unknown };
    expect(status.gateway).toEqual({ address: `127.0.0.1:${port}`, state: 'open' });
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ ready: true });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('macp_persist_gateway_requests_total{command="SMEMBERS",answer="answered"} 1');
  });
});

describe('a gateway that cannot be', () => {
  const start = ['start', '--http-port', '0', '--gateway-port', '0'];

  test.each([
    ['without a port', ['gateway'], 'a gateway needs a port: set gateway.port'],
    ['beside an embedded queue', ['gateway', '--gateway-port', '0'], 'a queue of kind embedded belongs to one process'],
    ['for others, without a password', [...start, '--gateway-host', '0.0.0.0'], 'gateway.password'],
    ['with half an identity', [...start, '--gateway-tls-key', '/dev/null'], 'belong together'],
  ])('%s says so', async (_, words, because) => {
    const { code, stderr } = await runProgram(words, { directory });
    expect(stderr).toContain(because);
    expect(code).toBe(2);
  });
});
