/** How to reach a Kafka cluster, and as whom. */
export interface KafkaConnectionOptions {
  /** `host:port` of some brokers; the others are learned from them. */
  readonly brokers: readonly string[];
  /** Names this program in the brokers' logs and quotas. */
  readonly clientId: string;
  /** There when the connection is encrypted. */
  readonly tls?: KafkaTls | undefined;
  /** There when the brokers want to know who connects. */
  readonly sasl?: KafkaSasl | undefined;
  /** Most milliseconds that a connection may take to stand. */
  readonly connectionTimeout: number;
  /** Most milliseconds that a request may take. */
  readonly requestTimeout: number;
}

/** Certificates in PEM. */
export interface KafkaTls {
  /** Who vouches for the brokers; the authorities that Node.js knows where it is absent. */
  readonly ca?: string | Buffer | undefined;
  /** Our own certificate and its key, for brokers that authenticate their clients by it (mTLS). */
  readonly certificate?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
}

export type KafkaSasl = KafkaPassword | KafkaBearer;

export interface KafkaPassword {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}

export interface KafkaBearer {
  readonly mechanism: 'oauthbearer';
  /** A token that is valid now: asked for at every connection, and before one lapses. */
  readonly token: () => Promise<string>;
}

export type KafkaLogLevel = 'error' | 'warn' | 'info' | 'debug';

/** Told what kafkajs says of itself: never secrets, never the contents of messages. */
export type KafkaLog = (level: KafkaLogLevel, message: string) => void;
