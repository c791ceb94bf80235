import { type BodyReader, readBody } from '../protocol/body-reader.ts';
import { BodyWriter } from '../protocol/body-writer.ts';
import type { ProtocolRequest } from '../protocol/protocol-request.ts';
import type { SettingChange } from './setting-change.ts';

/** What the number stands for in requests about settings. */
export const topicResource = 2;
const set = 0;

/**
 * IncrementalAlterConfigs v0 (KIP-339): changes these settings of topics and leaves the others as they are, which
 * kafkajs's AlterConfigs does not. The error of the first that could not be changed, or 0.
 */
export function alterSettingsRequest(changes: readonly SettingChange[]): ProtocolRequest<number> {
  const body = new BodyWriter().int32(changes.length);
  for (const { topic, setting, value } of changes) {
    body.int8(topicResource).text(topic).int32(1).text(setting).int8(set).text(value);
  }
  return {
    apiKey: 44,
    apiName: 'IncrementalAlterConfigs',
    apiVersion: 0,
    // Not only to be checked.
    body: body.int8(0).finish(),
    read: (payload) => readBody('IncrementalAlterConfigs', payload, readAnswer),
  };
}

function readAnswer(answer: BodyReader): number {
  answer.int32();
  const codes = answer.list(() => {
    const code = answer.int16();
    answer.text();
    answer.take(1);
    answer.text();
    return code;
  });
  return codes.find((code) => code !== 0) ?? 0;
}
