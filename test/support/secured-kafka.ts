import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from '../../scripts/services/certificates.mjs';
import { secureKafka } from '../../scripts/services/kafka-security.mjs';
import { type OwnKafka, startBroker } from './kafka.ts';

/** A user of a secured broker: the same for PLAIN, both kinds of SCRAM, and with a certificate (principal `User:name`). */
export interface KafkaUser {
  readonly name: string;
  readonly password: string;
  /** Files in PEM, of a client of the listener `TLS`. */
  readonly certificate: Certificate;
}

export interface SecuredKafka extends OwnKafka {
  /** `host:port`: TLS with a client's certificate. */
  readonly tls: string;
  /** `host:port`: TLS, and SASL by PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER with an unsecured token. */
  readonly sasl: string;
  /** The file with the authority's certificate, and its text. */
  readonly authorityFile: string;
  readonly authority: string;
  readonly users: ReadonlyMap<string, KafkaUser>;
}

/**
 * Starts a broker of its own that refuses what no ACL allows. At `address`, its plain listener, everybody may do
 * everything: there a test makes its topics and ACLs.
 */
export async function startSecuredBroker(names: readonly string[]): Promise<SecuredKafka> {
  const directory = mkdtempSync(join(tmpdir(), 'macp-persist-secured-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  try {
    const passwords = Object.fromEntries(names.map((name) => [name, randomBytes(12).toString('hex')]));
    const { authority, options } = await secureKafka(directory, passwords);
    const broker = await startBroker(options);
    const users = Object.entries(passwords).map(([name, password]) => ({
      name,
      password,
      certificate: authority.issue(name),
    }));
    return {
      ...broker,
      tls: broker.addressOf('TLS'),
      sasl: broker.addressOf('SASL'),
      authorityFile: authority.certificate,
      authority: readFileSync(authority.certificate, 'utf8'),
      users: new Map(users.map((user) => [user.name, user])),
      async [Symbol.asyncDispose]() {
        await broker[Symbol.asyncDispose]();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
