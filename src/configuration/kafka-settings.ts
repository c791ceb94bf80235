import { choice, duration, file, integer, size, text, truth } from './kinds.ts';
import { optionalSetting, setting } from './setting.ts';

const mebibyte = 2 ** 20;

/** What is set of a queue on Kafka besides its address. */
export const kafkaSettings = {
  'kafka.group': setting(
    text,
    'macp-persist',
    'Consumer group of the workers: those of one group share the partitions out',
  ),
  'kafka.clientId': setting(text, 'macp-persist', "Names this program in the brokers' logs and quotas"),
  'kafka.sessionTimeout': setting(
    duration(1_000),
    '10s',
    'How long a worker may be silent until the others take its partitions over',
  ),
  'kafka.rebalanceTimeout': setting(
    duration(1_000),
    '60s',
    'How long workers may take to finish what they hold when partitions change hands',
  ),
  'kafka.connectionTimeout': setting(duration(100), '5s', 'How long a connection to a broker may take to stand'),
  'kafka.requestTimeout': setting(duration(1_000), '30s', 'How long a broker may take to answer'),
  'kafka.linger': setting(duration(0), '0ms', 'How long commands wait for others to be sent together with'),
  'kafka.batchSize': setting(
    size(1_024),
    '1MiB',
    'Most bytes of commands that one record batch holds; a larger one goes alone',
  ),
  'kafka.compression': setting(
    choice(['none', 'gzip', 'zstd']),
    'none',
    'How record batches are compressed (zstd needs Node 22.15 or newer)',
  ),
  'kafka.maximumWaiting': setting(size(mebibyte), '64MiB', 'Most bytes of commands that wait in memory to be sent'),
  'kafka.partitions': setting(integer(1, 10_000), 8, 'Partitions of a topic that `init` creates, fixed once it exists'),
  'kafka.replicationFactor': optionalSetting(
    integer(1, 32_767),
    'Copies that brokers keep of a topic that `init` creates (else 3, or one a broker where there are fewer)',
  ),
  'kafka.minimumInSyncReplicas': optionalSetting(
    integer(1, 32_767),
    'Copies that must be written before a command counts as durable, for a topic that `init` creates (else one less than there are, at least 1)',
  ),
  'kafka.retention': setting(
    duration(1_000),
    '7d',
    'How long the topic keeps commands for replay: a topic that keeps them for less is refused',
  ),
  'kafka.copyDeadLetters': setting(truth, true, 'Whether dead letters are also copied to a topic of their own'),
  'kafka.deadLetterTopic': optionalSetting(text, 'That topic (else the name of the command topic and `.dead-letters`)'),
  'kafka.tls': setting(truth, false, 'Whether connections to the brokers are encrypted'),
  'kafka.tlsCa': optionalSetting(file, 'Certificates (PEM) of who vouches for the brokers'),
  'kafka.tlsCertificate': optionalSetting(file, 'Own certificate (PEM), for brokers that ask for one'),
  'kafka.tlsKey': optionalSetting(file, 'Private key (PEM) of the own certificate'),
  'kafka.saslMechanism': optionalSetting(
    choice(['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer']),
    'How this program says who it is',
  ),
  'kafka.saslUsername': optionalSetting(text, 'User name for the mechanisms with a password'),
  'kafka.saslPassword': optionalSetting(text, 'Password for them', { secret: true }),
  'kafka.saslTokenFile': optionalSetting(file, 'File with the token for oauthbearer, read again at every connection'),
} as const;
