import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inOneText, makeAuthority } from './certificates.mjs';
import { provideKafka, randomIdentity, runTool } from './kafka-installation.mjs';
import { brokerProperties, plain, propertiesFile } from './kafka-properties.mjs';

/** @import { Authority } from './certificates.mjs' */
/** @import { KafkaOptions } from './kafka.mjs' */

/**
 * What a broker needs to be secured: options for `startKafka`, and the authority that its clients trust.
 *
 * The broker then serves, besides `PLAINTEXT`, whose clients may do everything:
 * - `TLS`: with TLS, and clients that have a certificate of the authority: the principal is `User:` and its CN;
 * - `SASL`: with TLS, and SASL by PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER (with tokens that are not signed).
 * What is not allowed by an ACL is refused.
 *
 * @typedef {object} Security
 * @property {Authority} authority
 * @property {Required<Pick<KafkaOptions, 'listeners' | 'properties' | 'metadata'>>} options
 */

/**
 * Prepares a secured broker whose users have these passwords, with PLAIN and SCRAM.
 *
 * @param {string} directory where certificates and what else is needed is put
 * @param {Readonly<Record<string, string>>} passwords by the names of users; without quotes, commas and brackets
 * @returns {Promise<Security>}
 */
export async function secureKafka(directory, passwords) {
  const authority = await makeAuthority(join(directory, 'certificates'));
  const keyStore = join(directory, 'broker.pem');
  writeFileSync(keyStore, inOneText(authority.issue('broker')));
  const tls = {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': keyStore,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': authority.certificate,
  };
  const users = Object.entries(passwords).map(([name, password]) => `user_${name}="${password}"`);
  return {
    authority,
    options: {
      listeners: [
        {
          name: 'TLS',
          protocol: 'SSL',
          properties: {
            ...tls,
            'ssl.client.auth': 'required',
            'ssl.principal.mapping.rules': 'RULE:^CN=([^,]+).*$/$1/,DEFAULT',
          },
        },
        {
          name: 'SASL',
          protocol: 'SASL_SSL',
          properties: {
            ...tls,
            'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
            'plain.sasl.jaas.config': loginModule('plain.PlainLoginModule', users),
            'scram-sha-256.sasl.jaas.config': loginModule('scram.ScramLoginModule', []),
            'scram-sha-512.sasl.jaas.config': loginModule('scram.ScramLoginModule', []),
            'oauthbearer.sasl.jaas.config': loginModule('oauthbearer.OAuthBearerLoginModule', [
              'unsecuredLoginStringClaim_sub="broker"',
            ]),
          },
        },
      ],
      properties: {
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users': 'User:ANONYMOUS',
      },
      metadata: await metadataWithUsers(join(directory, 'metadata'), passwords),
    },
  };
}

/**
 * @param {string} name
 * @param {readonly string[]} options
 */
function loginModule(name, options) {
  return [`org.apache.kafka.common.security.${name}`, 'required', ...options].join(' ').concat(';');
}

/**
 * The first records of a cluster's metadata, in which its users of SCRAM are known from the start.
 *
 * @param {string} directory
 * @param {Readonly<Record<string, string>>} passwords
 */
async function metadataWithUsers(directory, passwords) {
  mkdirSync(directory, { recursive: true });
  const settings = join(directory, 'server.properties');
  const node = { id: 1, directory, ports: { [plain.name]: 1, CONTROLLER: 2 } };
  writeFileSync(settings, propertiesFile(brokerProperties(node, [node], [], {})));
  const users = Object.entries(passwords).flatMap(([name, password]) =>
    ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=${name},password=${password}]`,
    ]),
  );
  const parameters = ['format', '-t', randomIdentity(), '-c', settings, ...users];
  runTool(await provideKafka(), 'kafka.tools.StorageTool', parameters);
  return join(directory, 'data');
}
