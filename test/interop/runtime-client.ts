import { type ClientHttp2Session, connect } from 'node:http2';
import { decodeMessage, encodeMessage, type Field } from './protocol-buffers.ts';

/** What `GetSession` tells. */
export interface SessionAnswer {
  readonly session: string;
  readonly mode: string;
  readonly state: string;
  readonly startedAt: bigint;
  readonly participants: readonly string[];
}

/** A message as a participant sends it. */
export interface SentMessage {
  readonly mode: string;
  readonly type: string;
  readonly id: string;
  readonly session: string;
  readonly sender: string;
  readonly payload: Uint8Array;
  /** What its sender's clock showed, in milliseconds since 1970. Default: now. */
  readonly sentAt?: number;
}

/** What may be asked of a whole session, by its initiator. */
export type Ruling = 'cancel' | 'suspend' | 'resume';

/** The runtime's answer that it did not do what was asked, by a code of its own. Anything else leaves that open. */
export class NotAccepted extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(`not accepted: ${code}, ${message}`);
    this.code = code;
  }
}

/** A call that ended otherwise than with status 0; without any status where its connection broke. */
export class CallFailed extends Error {
  readonly status: number | undefined;

  constructor(method: string, status: number | undefined, reason: string) {
    super(`${method}: status ${status}, ${reason}`);
    this.status = status;
  }
}

/** What a participant shows: its name, which a runtime without tokens takes it at, where a header can hold that. */
export function tokenOf(participant: string): string {
  return /^[!-~]+$/.test(participant) ? participant : Buffer.from(participant, 'utf8').toString('base64url');
}

const states = ['Unspecified', 'Open', 'Resolved', 'Expired', 'Suspended', 'Cancelled'];

/** Speaks with a macp-runtime by gRPC, which every release serves. */
export class RuntimeClient implements AsyncDisposable {
  readonly #connection: ClientHttp2Session;

  constructor(port: number) {
    this.#connection = connect(`http://127.0.0.1:${port}`);
    // Whoever asks is told by the request that fails.
    this.#connection.on('error', () => undefined);
  }

  /** Rejects with what the runtime says when it knows no such session. */
  async getSession(session: string, as: string): Promise<SessionAnswer> {
    const answer = decodeMessage(await this.#call('GetSession', encodeMessage([[1, session]]), as));
    const fields = decodeMessage(bytesOf(answer, 1));
    return {
      session: textOf(fields, 1),
      mode: textOf(fields, 2),
      state: states[Number(numberOf(fields, 3))] ?? 'unknown',
      startedAt: numberOf(fields, 4),
      participants: textsOf(fields, 9),
    };
  }

  /** What the runtime did with the message: it knows one by its id. Rejects with its reason where it is not accepted. */
  async send({
    mode,
    type,
    id,
    session,
    sender,
    payload,
    sentAt = Date.now(),
  }: SentMessage): Promise<'accepted' | 'duplicate'> {
    const envelope = encodeMessage([
      [1, '1.0'],
      [2, mode],
      [3, type],
      [4, id],
      [5, session],
      [6, sender],
      [7, BigInt(sentAt)],
      [8, payload],
    ]);
    const acknowledgement = await this.#acknowledged('Send', encodeMessage([[1, envelope]]), sender);
    return numberOf(acknowledgement, 2) === 1n ? 'duplicate' : 'accepted';
  }

  /** Rejects where the session is in no state for it, as when it is asked a second time. */
  async rule(ruling: Ruling, session: string, reason: string, as: string): Promise<void> {
    const method = { cancel: 'CancelSession', suspend: 'SuspendSession', resume: 'ResumeSession' }[ruling];
    const request = encodeMessage([
      [1, session],
      [2, reason],
    ]);
    await this.#acknowledged(method, request, as);
  }

  /** The receipt of a decision, which the runtime stores when it is first asked for it. */
  async decisionReceipt(session: string, as: string): Promise<string> {
    return textOf(decodeMessage(await this.#call('GetDecisionReceipt', encodeMessage([[1, session]]), as)), 1);
  }

  /** What its health service says: 1 is serving. */
  async health(): Promise<number> {
    const answer = await this.#call('Check', new Uint8Array(), 'anybody', 'grpc.health.v1.Health');
    return Number(numberOf(decodeMessage(answer), 1));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection.destroy();
  }

  async #acknowledged(method: string, request: Uint8Array, as: string): Promise<readonly Field[]> {
    const acknowledgement = decodeMessage(bytesOf(decodeMessage(await this.#call(method, request, as)), 1));
    if (numberOf(acknowledgement, 1) === 1n) return acknowledgement;
    const error = decodeMessage(bytesOf(acknowledgement, 7));
    throw new NotAccepted(textOf(error, 1), textOf(error, 2));
  }

  #call(method: string, message: Uint8Array, as: string, service = 'macp.v1.MACPRuntimeService'): Promise<Uint8Array> {
    const request = this.#connection.request({
      ':method': 'POST',
      ':path': `/${service}/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization: `Bearer ${tokenOf(as)}`,
    });
    const frame = Buffer.alloc(5);
    frame.writeUInt32BE(message.length, 1);
    request.end(Buffer.concat([frame, message]));
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let status: string | string[] | undefined;
      let reason: string | string[] | undefined;
      const note = (headers: Readonly<Record<string, string | string[] | undefined>>): void => {
        status = headers['grpc-status'] ?? status;
        reason = headers['grpc-message'] ?? reason;
      };
      request.on('response', note).on('trailers', note);
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('error', reject);
      request.on('close', () => {
        if (status === '0') resolve(Buffer.concat(chunks).subarray(5));
        else reject(new CallFailed(method, status === undefined ? undefined : Number(status), `${reason}`));
      });
    });
  }
}

function bytesOf(fields: readonly Field[], wanted: number): Uint8Array {
  const value = fields.find(([number]) => number === wanted)?.[1];
  return value instanceof Uint8Array ? value : new Uint8Array();
}

/** A text that is empty is not sent. */
function textOf(fields: readonly Field[], wanted: number): string {
  return textsOf(fields, wanted)[0] ?? '';
}

function textsOf(fields: readonly Field[], wanted: number): readonly string[] {
  return fields.flatMap(([number, value]) =>
    number === wanted && value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : [],
  );
}

/** Numbers that are 0 are not sent. */
function numberOf(fields: readonly Field[], wanted: number): bigint {
  const value = fields.find(([number]) => number === wanted)?.[1];
  return typeof value === 'bigint' ? value : 0n;
}
