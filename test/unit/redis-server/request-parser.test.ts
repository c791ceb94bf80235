import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RequestLimits } from '../../../src/redis-server/limits.ts';
import { ProtocolError } from '../../../src/redis-server/protocol-error.ts';
import { RequestParser } from '../../../src/redis-server/request-parser.ts';
import { requestBytes } from '../../support/redis-requests.ts';

const limits: RequestLimits = { argumentBytes: 10_000, requestBytes: 20_000, arguments: 10 };

/** All requests in the chunks, which arrive at the times 1, 2, 3 …, each as its parts and its arrival. */
function parse(chunks: readonly Uint8Array[], within = limits) {
  const parser = new RequestParser();
  const found: { readonly parts: readonly string[]; readonly arrived: number }[] = [];
  chunks.forEach((chunk, index) => {
    parser.push(chunk, index + 1);
    for (let request = parser.next(within); request !== undefined; request = parser.next(within)) {
      found.push({ parts: request.parts.map((part) => part.toString('latin1')), arrived: request.arrived });
    }
  });
  return { found, parser };
}

function cut(bytes: Uint8Array, at: readonly number[]): readonly Uint8Array[] {
  const ends = [...new Set(at.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

const part = fc.uint8Array({ maxLength: 300 });
const request = fc.array(part, { minLength: 1, maxLength: 5 });
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

describe('a request is read', () => {
  test('the same wherever the chunks end', () => {
    fc.assert(
      fc.property(fc.array(request, { maxLength: 5 }), fc.array(fc.nat(), { maxLength: 20 }), (requests, at) => {
        const bytes = Buffer.concat(requests.map((parts) => requestBytes(...parts)));
        const { found, parser } = parse(cut(bytes, at));
        expect(found.map(({ parts }) => parts)).toEqual(requests.map((parts) => parts.map(latin1)));
        expect(parser.isHalfway).toBe(false);
        expect(parser.held).toBe(0);
      }),
    );
  });

  test('the same from single bytes, and from two chunks that end at any of them', () => {
    const bytes = Buffer.concat([
      requestBytes('SET', 'key', 'a\r\n$1\r\nvalue'),
      requestBytes('GET', ''),
      requestBytes('x'),
    ]);
    const whole = parse([bytes]).found.map(({ parts }) => parts);
    expect(whole).toEqual([['SET', 'key', 'a\r\n$1\r\nvalue'], ['GET', ''], ['x']]);
    for (let at = 0; at <= bytes.length; at += 1) {
      const { found } = parse([bytes.subarray(0, at), bytes.subarray(at)]);
      expect(found.map(({ parts }) => parts)).toEqual(whole);
    }
    expect(parse([...bytes].map((byte) => Uint8Array.of(byte))).found.map(({ parts }) => parts)).toEqual(whole);
  });

  test('with the arrival of its first byte, whenever its last one comes', () => {
    const bytes = Buffer.concat([requestBytes('GET', 'a'), requestBytes('GET', 'b')]);
    const second = bytes.length / 2;
    for (let at = 1; at < bytes.length; at += 1) {
      const { found } = parse([bytes.subarray(0, at), bytes.subarray(at)]);
      expect(found.map(({ arrived }) => arrived)).toEqual([1, at > second ? 1 : 2]);
    }
  });

  test('into memory of its own: what is done to the chunk does not reach it', () => {
    const chunk = requestBytes('ECHO', 'value');
    const parser = new RequestParser();
    parser.push(chunk, 1);
    const found = parser.next(limits);
    chunk.fill(0);
    expect(found?.parts.map(String)).toEqual(['ECHO', 'value']);
  });

  test('one at a time, in the limits that hold by then', () => {
    const parser = new RequestParser();
    parser.push(Buffer.concat([requestBytes('a'), requestBytes('long')]), 1);
    expect(parser.next({ ...limits, argumentBytes: 1 })?.parts.map(String)).toEqual(['a']);
    expect(parser.next({ ...limits, argumentBytes: 4 })?.parts.map(String)).toEqual(['long']);
    expect(() => parser.push(requestBytes('b'), 2)).not.toThrow();
    expect(() => parser.push(requestBytes('c'), 3)).toThrow(TypeError);
  });
});

describe('what is no request is refused', () => {
  const expectedStar = "Protocol error: expected '*'";
  const expectedDollar = "Protocol error: expected '$'";
  const multibulk = 'Protocol error: invalid multibulk length';
  const bulk = 'Protocol error: invalid bulk length';

  test.each([
    ['PING\r\n', expectedStar],
    ['GET / HTTP/1.1\r\n', expectedStar],
    ['\r\n', expectedStar],
    ['$4\r\nPING\r\n', expectedStar],
    ['+PING\r\n', expectedStar],
    ['*0\r\n', multibulk],
    ['*-1\r\n', multibulk],
    ['*\r\n', multibulk],
    ['*01\r\n', multibulk],
    ['*+1\r\n', multibulk],
    ['* 1\r\n', multibulk],
    ['*1 \r\n', multibulk],
    ['*1\n', multibulk],
    ['*1\rx', multibulk],
    ['*11\r\n', multibulk],
    ['*99999999999', multibulk],
    ['*1\r\n*1\r\n', expectedDollar],
    ['*1\r\n:4\r\n', expectedDollar],
    ['*1\r\n$-1\r\n', bulk],
    ['*1\r\n$1.0\r\n', bulk],
    ['*1\r\n$00\r\n', bulk],
    ['*1\r\n$10001\r\n', bulk],
    ['*1\r\n$18446744073709551616\r\n', bulk],
    ['*1\r\n$4\r\nPINGPING\r\n', bulk],
    ['*1\r\n$4\r\nPING\n\n', bulk],
    ['*1\r\n$4\r\nPING\r\r', bulk],
    [`*3\r\n$10000\r\n${'x'.repeat(10_000)}\r\n$9000\r\n${'x'.repeat(9_000)}\r\n$1000\r\n`, bulk],
  ])('%j', (text, message) => {
    const bytes = Buffer.from(text, 'latin1');
    expect(() => parse([bytes])).toThrow(new ProtocolError(message.replace('Protocol error: ', '')));
    expect(() => parse([...bytes].map((byte) => Uint8Array.of(byte)))).toThrow(message);
  });

  test('whatever the bytes: they are requests, the beginning of one, or refused', () => {
    const noise = fc.oneof(
      fc.constantFrom('*', '$', '\r\n', '*1\r\n', '*2\r\n', '$0\r\n', '$1\r\n', '$4\r\nPING\r\n', '-1', '9'.repeat(12)),
      fc.string({ unit: 'binary', maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 30 }), fc.array(fc.nat(), { maxLength: 10 }), (pieces, at) => {
        const bytes = Buffer.from(pieces.join(''), 'utf8');
        const outcome = (chunks: readonly Uint8Array[]) => {
          try {
            return parse(chunks).found.map(({ parts }) => parts);
          } catch (error) {
            if (!(error instanceof ProtocolError)) throw error;
            return error.message;
          }
        };
        expect(outcome(cut(bytes, at))).toEqual(outcome([bytes]));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('what is held of a request', () => {
  test('follows what came, not what was announced', () => {
    const parser = new RequestParser();
    parser.push(Buffer.from('*2\r\n$3\r\nSET\r\n$16000000\r\nx'), 1);
    expect(parser.next({ ...limits, argumentBytes: 2 ** 25, requestBytes: 2 ** 25 })).toBeUndefined();
    expect(parser.isHalfway).toBe(true);
    expect(parser.held).toBeLessThan(10_000);
  });

  test('is at most about twice what came, however small the pieces', () => {
    const parser = new RequestParser();
    const bytes = requestBytes('SET', 'x'.repeat(100_000));
    for (const [index, byte] of bytes.subarray(0, -1).entries()) {
      parser.push(Uint8Array.of(byte), 1);
      expect(parser.next({ ...limits, argumentBytes: 2 ** 20, requestBytes: 2 ** 20 })).toBeUndefined();
      expect(parser.held).toBeLessThan(5_000 + 2 * index);
    }
  });
});
