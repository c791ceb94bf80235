import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { isPersistenceError } from '../../domain/errors.ts';
import { scopes } from '../../http-server/known-tokens.ts';
import { readTokenFile } from '../../http-server/token-file.ts';
import { readServiceAddress } from '../service-file.ts';
import { type Check, type Finding, ok, problem, systemCode, warning } from './finding.ts';

export const listening: Check = async ({ values }) => {
  const subject = 'http';
  const { 'http.host': host, 'http.port': port, 'http.tokens': tokens } = values;
  const address = await lookup(host).catch(() => undefined);
  if (address === undefined) return [problem(subject, `nobody knows the host ${host}`, 'correct http.host')];
  const findings: Finding[] = [];
  if (tokens === undefined && !/^(?:127\.|::1$)/.test(address.address)) {
    const change = 'name a file of tokens with http.tokens, or set http.host to 127.0.0.1';
    findings.push(problem(subject, `${host} can be reached from other machines, and there are no tokens`, change));
  }
  const refusal = await refusalToListen(host, port);
  if (refusal === undefined) return [...findings, ok(subject, `${host}:${port} is free`)];
  const own = await readServiceAddress(values.dataDir);
  if (refusal === 'EADDRINUSE' && own !== undefined && new URL(own.url).port === String(port)) {
    return [...findings, ok(subject, `our own process ${own.pid} listens at ${host}:${port}`)];
  }
  const found =
    refusal === 'EADDRINUSE'
      ? `something else listens at ${host}:${port}`
      : `nothing can listen at ${host}:${port} (${refusal})`;
  return [...findings, problem(subject, found, 'set http.port or http.host to a place that is free and allowed')];
};

/** Why nobody can listen there, as the operating system calls it, or undefined. */
async function refusalToListen(host: string, port: number): Promise<string | undefined> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
    return undefined;
  } catch (error) {
    return systemCode(error);
  } finally {
    server.close();
  }
}

export const tokenFile: Check = async ({ values: { 'http.tokens': path } }) => {
  const subject = 'tokens';
  if (path === undefined) return [];
  try {
    const known = readTokenFile(await readFile(path, 'utf8'), path);
    const counts = scopes.map(
      (scope) => `${known.filter((token) => token.scopes.includes(scope)).length} may ${scope}`,
    );
    const { mode } = await stat(path);
    const findings = [ok(subject, `${known.length} tokens in ${path}: ${counts.join(', ')}`)];
    if ((mode & 0o077) !== 0) {
      const found = `other users can get at ${path} (mode ${(mode & 0o777).toString(8)})`;
      findings.push(warning(subject, found, `take the right away: chmod go-rwx ${path}`));
    }
    return findings;
  } catch (error) {
    const found = isPersistenceError(error) ? error.message : `${path} cannot be read (${systemCode(error)})`;
    return [problem(subject, found, 'correct the file, or name another with http.tokens')];
  }
};

export const serviceFile: Check = async ({ values: { dataDir } }) => {
  const subject = 'service file';
  const path = join(dataDir, 'service.json');
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || (found.mode & 0o077) === 0) return [];
  const mode = (found.mode & 0o777).toString(8);
  return [
    problem(
      subject,
      `other users can read the owner's token in ${path} (mode ${mode})`,
      `chmod 600 ${path}, and start the process anew`,
    ),
  ];
};
