/**
 * One request of Kafka's protocol (https://kafka.apache.org/protocol) together with how its answer is read. The
 * connection writes request header v1 before `body` and takes response header v0 off the answer: for a flexible
 * version, which has the headers v2 and v1, both begin with an empty section of tagged fields.
 */
export interface ProtocolRequest<Response> {
  readonly apiKey: number;
  readonly apiName: string;
  readonly apiVersion: number;
  readonly body: Buffer;
  /** Milliseconds that the broker may take when that is more than every request may. */
  readonly timeout?: number | undefined;
  /** The answer. Views of `payload` may be handed out; throws a PersistenceError for bytes that are no such answer. */
  read(payload: Buffer): Response;
}
