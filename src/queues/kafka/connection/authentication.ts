import { createRequire } from 'node:module';
import type { AuthenticationProviderArgs, Authenticator, Mechanism } from 'kafkajs';
import { PersistenceError, toPersistenceError } from '../../../domain/errors.ts';
import type { KafkaBearer, KafkaPassword, KafkaSasl } from './kafka-options.ts';
import { foreignInternals } from './mend-connections.ts';

/**
 * How to say who we are, for kafkajs. Its own ways are mended: they tell a broker that went away in the middle as a
 * wrong password, which nobody would try again, and take a bearer token that was refused for one that was accepted.
 */
export function authenticationBy(sasl: KafkaSasl): Mechanism {
  const { mechanism } = sasl;
  if (mechanism === 'oauthbearer') {
    return { mechanism, authenticationProvider: (given) => ({ authenticate: () => presentToken(sasl, given) }) };
  }
  const provider = passwordProvider(sasl);
  return { mechanism, authenticationProvider: (given) => tellingTheCause(provider, given) };
}

type Provider = (given: AuthenticationProviderArgs) => Authenticator;

const providers = { plain: 'plain', 'scram-sha-256': 'scram256', 'scram-sha-512': 'scram512' } as const;

/** kafkajs's own way, which it does not export. */
function passwordProvider({ mechanism, username, password }: KafkaPassword): Provider {
  const require = createRequire(import.meta.url);
  const make: unknown = require(`kafkajs/src/broker/saslAuthenticator/${providers[mechanism]}`);
  if (typeof make !== 'function') throw foreignInternals(`no way to authenticate by ${mechanism}`);
  return make({ username, password });
}

/** Fails with what the connection or the broker failed with, where kafkajs keeps only its sentence. */
function tellingTheCause(provider: Provider, given: AuthenticationProviderArgs): Authenticator {
  let cause: { readonly error: unknown } | undefined;
  const authenticator = provider({
    ...given,
    saslAuthenticate: async (step) => {
      try {
        return await given.saslAuthenticate(step);
      } catch (error) {
        cause = { error };
        throw error;
      }
    },
  });
  return {
    authenticate: async () => {
      try {
        await authenticator.authenticate();
      } catch (error) {
        throw cause === undefined ? error : cause.error;
      }
    },
  };
}

/** RFC 7628: the first message carries the token; a server that refuses it answers with a reason instead of nothing. */
async function presentToken(
  { token }: KafkaBearer,
  { saslAuthenticate }: Pick<AuthenticationProviderArgs, 'saslAuthenticate'>,
): Promise<void> {
  const message = Buffer.from(`n,,\u0001auth=Bearer ${await validToken(token)}\u0001\u0001`, 'utf8');
  const refused = await saslAuthenticate({
    request: { encode: () => sized(message) },
    response: { decode: (answer) => answer.subarray(4), parse: (answer) => answer.toString('utf8') },
  });
  if (typeof refused !== 'string' || refused === '') return;
  throw new PersistenceError(
    'INVALID_CONFIGURATION',
    `Kafka does not accept the bearer token: ${refused.slice(0, 200)}`,
  );
}

async function validToken(token: () => Promise<string>): Promise<string> {
  try {
    return await token();
  } catch (error) {
    const { message } = toPersistenceError(error);
    throw new PersistenceError('QUEUE_UNAVAILABLE', `there is no bearer token for Kafka: ${message}`, { cause: error });
  }
}

function sized(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
