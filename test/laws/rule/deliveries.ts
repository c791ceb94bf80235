import { claimType, commandId, skipType } from '../../../src/domain/command.ts';
import type { Content, Delivery } from '../../../src/domain/delivery.ts';
import { bytesDigest } from '../../../src/domain/digest.ts';
import type { Epoch, Sequence, SessionId, Writer } from '../../../src/domain/identifiers.ts';
import { decodeMessage, type Message, type MessageHeader } from '../../../src/domain/message.ts';
import { decodeBinary } from '../../../src/domain/wire/binary.ts';
import { identity, type NaiveDelivery } from './naive-delivery.ts';

const operator = '//test/operator';
const misnamed = '/misnamed';
const decoded = new Map<string, Content>();

/** What arrives when `naive` is sent: its message written by hand, its content as the wire format reads it. */
export function deliveryOf(naive: NaiveDelivery, offset: number): Delivery {
  const message = messageOf(naive);
  return { content: contentOf(naive, message), position: { partition: 0, offset }, message: () => message };
}

function contentOf(naive: NaiveDelivery, message: Message): Content {
  if (naive.kind !== 'numbered') return directContent(naive);
  // Decoding is pure, and histories send the same commands again and again.
  const key = `${naive.session} ${identity(naive)}`;
  const content = decoded.get(key) ?? readNumbered(message, naive.valid);
  if (decoded.size < 20_000) decoded.set(key, content);
  return content;
}

function readNumbered(message: Message, valid: boolean): Content {
  const content = decodeBinary(message);
  // The model is told what is valid; the rule asks the wire format: the two must mean the same commands.
  if (content.kind !== 'numbered' || (content.refusal === undefined) !== valid) {
    throw new TypeError(`a test command was read as ${JSON.stringify(content)}`);
  }
  return content;
}

function directContent(naive: Exclude<NaiveDelivery, { kind: 'numbered' }>): Content {
  const session = naive.session as SessionId;
  switch (naive.kind) {
    case 'claim': {
      const epoch = naive.epoch as Epoch;
      const writer = naive.writer as Writer;
      return { kind: 'claim', type: claimType, session, id: commandId(session, epoch, 'claim'), writer, epoch };
    }
    case 'skip': {
      const { id } = naive;
      // The reason repeats the event's id, so that the record of an applied decision names it.
      const decision = {
        sequence: naive.sequence as Sequence,
        epoch: naive.epoch as Epoch,
        by: operator,
        reason: id,
      };
      const data = Buffer.from(JSON.stringify(decision));
      return { kind: 'skip', type: skipType, session, id, source: operator as Writer, decision, data };
    }
    case 'unreadable': {
      const refusal = { code: 'INVALID_EVENT', message: 'not an event' } as const;
      const digest = bytesDigest(Buffer.from(naive.text));
      return { kind: 'unreadable', refusal, digest, session: naive.session === undefined ? undefined : session };
    }
  }
}

function messageOf(naive: NaiveDelivery): Message {
  const isUnkeyed = naive.session === undefined || (naive.kind === 'numbered' && naive.fault === 'unkeyed');
  const key = isUnkeyed ? undefined : Buffer.from(naive.session);
  const { headers, value } = partsOf(naive);
  return {
    key,
    headers: headers.map(([name, text]): MessageHeader => [name, Buffer.from(text)]),
    value: Buffer.from(value),
  };
}

function partsOf(naive: NaiveDelivery): { headers: readonly (readonly [string, string])[]; value: string } {
  switch (naive.kind) {
    case 'unreadable':
      return { headers: [], value: naive.text };
    case 'claim':
      return { headers: attributes(claimType, `${naive.session}/${naive.epoch}/claim`, naive), value: '' };
    case 'skip':
      return { headers: attributes(skipType, naive.id, { session: naive.session, writer: operator }), value: '{}' };
    case 'numbered': {
      const id = `${naive.session}/${naive.epoch}/${naive.sequence}${naive.fault === 'misnamed' ? misnamed : ''}`;
      const content = naive.data === '' ? [] : [['content-type', contentType(naive.type)] as const];
      return { headers: [...attributes(naive.type, id, naive), ...content], value: naive.data };
    }
  }
}

function contentType(type: string): string {
  return type.includes('receipt') || type.includes('anchor') ? 'application/octet-stream' : 'application/json';
}

function attributes(
  type: string,
  id: string,
  of: { session: string; writer: string; epoch?: number; sequence?: number },
): readonly (readonly [string, string])[] {
  const required: [string, string][] = [
    ['ce_specversion', '1.0'],
    ['ce_type', type],
    ['ce_id', id],
    ['ce_source', of.writer],
    ['ce_subject', of.session],
  ];
  if (of.sequence !== undefined) required.push(['ce_macpsequence', String(of.sequence)]);
  if (of.epoch !== undefined) required.push(['ce_macpepoch', String(of.epoch)]);
  return required;
}

/** The identity of the delivery whose message the store kept, in the model's words. */
export function keptIdentity(encoded: Uint8Array): string {
  const message = decodeMessage(encoded);
  const headers = new Map(message.headers.map(([name, value]) => [name, Buffer.from(value).toString()]));
  const value = Buffer.from(message.value).toString();
  const type = headers.get('ce_type');
  if (type === undefined) return `unreadable ${value}`;
  if (type === skipType) return `decision ${headers.get('ce_id')}`;
  const reign = `${headers.get('ce_macpepoch')} ${headers.get('ce_source')}`;
  if (type === claimType) return `${reign} claim`;
  const isMisnamed = headers.get('ce_id')?.endsWith(misnamed) === true;
  const fault = isMisnamed ? 'misnamed' : message.key === undefined ? 'unkeyed' : '';
  return `${reign} ${headers.get('ce_macpsequence')} ${type} ${value} ${fault}`;
}
