import { readBody } from '../protocol/body-reader.ts';
import { BodyWriter } from '../protocol/body-writer.ts';
import type { ProtocolRequest } from '../protocol/protocol-request.ts';
import { assignorName } from './group-protocol.ts';

const memberIdRequired = 79;

/** What a member says of its patience, in milliseconds. */
export interface MemberTimes {
  readonly sessionTimeout: number;
  readonly rebalanceTimeout: number;
}

/**
 * JoinGroup v5 (KIP-394) of somebody who has no id yet: the coordinator gives it one at once, to join with. Undefined
 * where it gives none.
 */
export function memberIdRequest(
  groupId: string,
  { sessionTimeout, rebalanceTimeout }: MemberTimes,
): ProtocolRequest<string | undefined> {
  const body = new BodyWriter().text(groupId).int32(sessionTimeout).int32(rebalanceTimeout);
  body.text('').text(undefined).text('consumer');
  // What it would tell the group's leader is told when it joins.
  body.int32(1).text(assignorName).int32(0);
  return {
    apiKey: 11,
    apiName: 'JoinGroup',
    apiVersion: 5,
    body: body.finish(),
    read: (payload) =>
      readBody('JoinGroup', payload, (answer) => {
        answer.int32();
        const errorCode = answer.int16();
        answer.int32();
        answer.text();
        answer.text();
        const memberId = answer.text();
        return errorCode === memberIdRequired && memberId !== '' ? memberId : undefined;
      }),
  };
}
