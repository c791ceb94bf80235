import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Most requests that a connection may have under way. Each that waits takes some 8 KiB. */
const mostOfConnection = 20;

/**
 * Bounds what clients may ask for without waiting for answers (pipelining): hardly any does, and a connection with
 * more than {@link mostOfConnection} requests under way is cut off. To be called once all who listen to the requests
 * of `server` do.
 *
 * When a connection ends, Node tells so to the first of its unanswered responses only; the others are told here, so
 * that nobody works for them any more.
 */
export function boundRequestsUnderWay(server: Server): void {
  const listeners = server.listeners('request') as RequestListener[];
  const unanswered = new WeakMap<Socket, Set<ServerResponse>>();
  const responsesOf = (socket: Socket): Set<ServerResponse> => {
    const known = unanswered.get(socket);
    if (known !== undefined) return known;
    const responses = new Set<ServerResponse>();
    unanswered.set(socket, responses);
    // Node comes first: the one that it tells itself is gone by then.
    socket.once('close', () => setImmediate(() => tellClosed(responses)));
    return responses;
  };
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const responses = responsesOf(socket);
    if (responses.size >= mostOfConnection) socket.destroy();
    // What the rest of a chunk holds is still parsed after that: hundreds of requests, which must cost next to nothing.
    if (socket.destroyed) return;
    responses.add(response);
    response.once('close', () => responses.delete(response));
    for (const listener of listeners) listener.call(server, request, response);
  });
}

/** Does what Node does with the one response that it tells: `_closed` is for whoever looks only later. */
function tellClosed(responses: ReadonlySet<ServerResponse>): void {
  for (const response of [...responses]) {
    Object.assign(response, { destroyed: true, _closed: true });
    response.emit('close');
  }
}
