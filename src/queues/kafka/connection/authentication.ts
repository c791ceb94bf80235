import type { AuthenticationProviderArgs, Authenticator, Mechanism, SASLOptions } from 'kafkajs';
import { PersistenceError, toPersistenceError } from '../../../domain/errors.ts';
import type { KafkaBearer, KafkaPassword, KafkaSasl } from './kafka-options.ts';

type Provider = (given: AuthenticationProviderArgs) => Authenticator;

/**
 * How to say who we are, for kafkajs. Its own ways are mended: they tell a broker that went away in the middle as a
 * wrong password, which nobody would try again, and take a bearer token that was refused for one that was accepted.
 */
export function authenticationBy(sasl: KafkaSasl): SASLOptions | Mechanism {
  if (sasl.mechanism !== 'oauthbearer') return new MendedPassword(sasl) as SASLOptions;
  return {
    mechanism: sasl.mechanism,
    authenticationProvider: (given) => ({ authenticate: () => presentToken(sasl, given) }),
  };
}

/** The options of a password. kafkajs, which does not export its own way, puts it in here when it first needs it. */
class MendedPassword {
  readonly mechanism: KafkaPassword['mechanism'];
  readonly username: string;
  readonly password: string;
  #provider: Provider | undefined;

  constructor({ mechanism, username, password }: KafkaPassword) {
    this.mechanism = mechanism;
    this.username = username;
    this.password = password;
  }

  get authenticationProvider(): Provider | undefined {
    return this.#provider;
  }

  set authenticationProvider(own: Provider) {
    this.#provider = (given) => tellingTheCause(own, given);
  }
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
