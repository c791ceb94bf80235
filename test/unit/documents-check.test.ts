import { describe, expect, it } from 'vitest';
import { claimType, numberedTypes, skipType, wireLimits } from '../../src/domain/command.ts';
import { checkData, checkDocument, readSkipDecision } from '../../src/domain/documents/check-data.ts';
import { parseSessionId } from '../../src/domain/identifiers.ts';

const session = parseSessionId('s1');
const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const text = (data: Uint8Array): string => Buffer.from(data).toString('utf8');

const entry = (extra = ''): string =>
  `{"message_id":"m1","received_at_ms":1,"sender":"a","message_type":"Vote","raw_payload":[1,2],"entry_kind":"Incoming"${extra}}`;
const checkpoint = (ordinals: string): string =>
  entry(`,"compacted_incoming_ordinals":${ordinals}`).replace('Incoming', 'Checkpoint');
const snapshot = (id: string): string =>
  `{"session_id":${id},"state":"Open","ttl_expiry":1,"started_at_unix_ms":1,"mode":"m","mode_state":[],"participants":[],` +
  '"seen_message_ids":[],"intent":"","mode_version":"","configuration_version":"","policy_version":"","roots":[],"initiator_sender":"a"}';

const append = (document: string): ReturnType<typeof checkData> =>
  checkData('macp.log.append.v1', session, bytes(document));
const message = (type: string, document: string): string | undefined =>
  checkData(type, session, bytes(document)).refusal?.message;

describe('what a command carries', () => {
  it.each(['macp.session.create.v1', 'macp.session.delete.v1', claimType])('%s carries nothing', (type) => {
    expect(checkData(type, session, bytes('')).refusal).toBeUndefined();
    expect(checkData(type, session, bytes('{}')).refusal?.code).toBe('INVALID_DATA');
  });

  it.each(['macp.receipt.store.v1', 'macp.anchor.store.v1'])(
    '%s carries any bytes, and they stay as they are',
    (type) => {
      for (const data of [bytes(''), bytes(' { } '), Uint8Array.of(0xff, 0x20, 0)]) {
        const checked = checkData(type, session, data);
        expect(checked.refusal).toBeUndefined();
        expect(checked.data).toBe(data);
      }
    },
  );

  it('is refused when the type is unknown, also a name that every object has', () => {
    for (const type of ['macp.log.append.v2', 'toString', '__proto__', '']) {
      expect(checkData(type, session, bytes(entry())).refusal?.code).toBe('UNKNOWN_TYPE');
    }
  });

  it('may be as large as the limit and not a byte larger, for every type', () => {
    const largest = new Uint8Array(wireLimits.dataBytes);
    const larger = new Uint8Array(wireLimits.dataBytes + 1);
    expect(checkData('macp.receipt.store.v1', session, largest).refusal).toBeUndefined();
    for (const type of [...numberedTypes, claimType, skipType]) {
      expect(checkData(type, session, larger).refusal?.code).toBe('DATA_TOO_LARGE');
    }
  });

  it('may be larger where upstream wrote it', () => {
    const { data, refusal } = checkDocument('entry', session, bytes(' '.repeat(wireLimits.dataBytes) + entry()));
    expect([text(data), refusal]).toEqual([entry(), undefined]);
  });

  it('keeps its bytes, and facts say nothing, when it is refused', () => {
    const data = bytes(` ${checkpoint('7')} x`);
    const checked = checkData('macp.log.append.v1', session, data);
    expect(checked.data).toBe(data);
    expect(checked.facts).toEqual({ compactionBase: 0 });
    expect(checked.refusal?.code).toBe('INVALID_DATA');
  });
});

describe('white space', () => {
  it('is removed between tokens and kept in strings', () => {
    const spaced = ` {\n"message_id" : "m \\" 1" ,\t"received_at_ms":1,"sender":" a","message_type":"Vote","raw_payload":[ 1 ,\r\n2 ],"entry_kind":"Incoming"} `;
    expect(text(append(spaced).data)).toBe(
      '{"message_id":"m \\" 1","received_at_ms":1,"sender":" a","message_type":"Vote","raw_payload":[1,2],"entry_kind":"Incoming"}',
    );
  });

  it('that is not there costs no copy', () => {
    const data = bytes(entry());
    expect(checkData('macp.log.append.v1', session, data).data).toBe(data);
  });
});

describe('facts', () => {
  it('the bounds of entries are those in the bytes that are stored', () => {
    const entries = [entry(), entry(',"x":[ "} , {" ]'), checkpoint('3')];
    for (const document of [`[${entries.join(',')}]`, ` [ ${entries.join(' , ')} ] `]) {
      const { data, facts } = checkData('macp.log.replace.v1', session, bytes(document));
      const bounds = facts.entryBounds ?? [];
      const found = [0, 2, 4].map((index) => text(data.subarray(bounds[index], bounds[index + 1])));
      expect(found).toEqual([entry(), entry(',"x":["} , {"]'), checkpoint('3')]);
      expect(bounds).toHaveLength(6);
      expect(facts.compactionBase).toBe(3);
    }
  });

  it('an empty array replaces a log by an empty one', () => {
    const { data, facts } = checkData('macp.log.replace.v1', session, bytes('[ ]'));
    expect(text(data)).toBe('[]');
    expect(facts).toEqual({ entryBounds: [], compactionBase: 0 });
  });

  it('the compaction base is the largest of the Checkpoints, and of Checkpoints only', () => {
    expect(append(checkpoint('12')).facts.compactionBase).toBe(12);
    expect(append(checkpoint('12').replace('Checkpoint', 'Check\\u0070oint')).facts.compactionBase).toBe(12);
    expect(append(entry(',"compacted_incoming_ordinals":12')).facts.compactionBase).toBe(0);
    expect(append(checkpoint('0')).facts.compactionBase).toBe(0);
    const many = `[${checkpoint('5')},${checkpoint('9')},${entry(',"compacted_incoming_ordinals":99')},${checkpoint('7')}]`;
    expect(checkData('macp.log.replace.v1', session, bytes(many)).facts.compactionBase).toBe(9);
  });

  it('the compaction base stays a safe integer, however large upstream may write it', () => {
    expect(append(checkpoint('18446744073709551615')).facts.compactionBase).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe('refusals name the place and what is wrong', () => {
  it.each([
    [entry().replace('[1,2]', '[1,2,3,256]'), 'raw_payload[3] is not a byte'],
    [entry().replace('[1,2]', '"AQI="'), 'raw_payload is a string, not an array of bytes'],
    [entry().replace('[1,2]', '[1.0]'), 'raw_payload[0] is not a byte'],
    [entry().replace('"m1"', 'null'), 'message_id is null, not a string'],
    [entry().replace('Incoming', 'incoming'), 'entry_kind is none of Incoming, Internal, Checkpoint'],
    [entry().replace('"sender":"a",', ''), 'the document lacks "sender"'],
    [entry(',"mode":"","mode":""'), 'the document has "mode" twice'],
    [entry(',"semantics_rev":4294967296'), 'semantics_rev is not an unsigned 32-bit integer'],
    [entry(',"x":[1,{"y":tru}]'), 'the data is not JSON: byte 129: expected "true", found "t" (*[1].*)'],
    ['', 'the document is missing'],
    ['[]', 'the document is an array, not an object'],
    [`\ufeff${entry()}`, 'the data is not JSON: byte 0: expected a value, found byte 0xef'],
  ])('%s', (document, expected) => {
    expect(message('macp.log.append.v1', document)).toBe(expected);
  });

  it('after members and elements of any depth have been passed', () => {
    const passed = `${'[{"a":['.repeat(30)}0${']},1]'.repeat(30)}`;
    const place = (value: string): string | undefined =>
      message('macp.log.append.v1', entry(`,"x":${value}`))?.match(/\((.*)\)$/)?.[1];
    expect(place(`[${passed},{"b":${passed},"c":[1,2,tru]}]`)).toBe('*[1].*[2]');
    expect(place(`{"a":[],"b":{},"c":"d","e":[[[[[[[[[{"f":1,"g":-}]]]]]]]]]}`)).toBe('…[0][0][0][0][0][0][0].*');
    expect(place('{"a":1,tru}')).toBe('*');
    expect(place('{"a":1,"b\u0001":1}')).toBe('*');
  });

  it('within arrays of documents', () => {
    const wrong = `[${entry()},${entry().replace('[1,2]', '[-1]')}]`;
    expect(message('macp.log.replace.v1', wrong)).toBe('[1].raw_payload[0] is not a byte');
    const roots = snapshot('"s1"').replace('"roots":[]', '"roots":[{"uri":"u","name":"n"},{"uri":"u"}]');
    expect(message('macp.session.save.v1', roots)).toBe('roots[1] lacks "name"');
  });

  it('and the byte at which a text is not UTF-8', () => {
    const data = Buffer.from(entry());
    const at = data.indexOf('Vote');
    data[at] = 0xff;
    const { refusal } = checkData('macp.log.append.v1', session, data);
    expect(refusal?.message).toContain(`byte ${at}: expected UTF-8`);
  });

  it('stay short, however deep and long the document is', () => {
    const deep = entry(`,"x":${'[{"a":'.repeat(200_000)}`);
    const refusal = message('macp.log.append.v1', deep) ?? '';
    expect(refusal).toContain('expected a value, found "}" (…[0].*[0].*[0].*[0].*)');
    expect(refusal.length).toBeLessThan(300);
    const long = message('macp.log.append.v1', entry(`,"mode":${'9'.repeat(100_000)}`)) ?? '';
    expect(long.length).toBeLessThan(300);
    const longKey = message('macp.log.append.v1', entry(`,"${'k'.repeat(100_000)}":tru`)) ?? '';
    expect(longKey.length).toBeLessThan(300);
  });
});

describe('refusals repeat nothing of the data', () => {
  const mark = 'canary';
  const number = '98765432109876543210';
  const snapshotWith = (from: string, to: string): string => snapshot('"s1"').replace(from, to);
  it.each([
    ['macp.log.append.v1', entry().replace('Incoming', mark)],
    ['macp.log.append.v1', entry().replace('[1,2]', `"${mark}"`)],
    ['macp.log.append.v1', entry().replace('[1,2]', `[1,${number}]`)],
    ['macp.log.append.v1', entry().replace('[1,2]', `[1,"${mark}"]`)],
    ['macp.log.append.v1', entry().replace('"received_at_ms":1', `"received_at_ms":${number}`)],
    ['macp.log.append.v1', entry().replace('"m1"', number)],
    ['macp.log.append.v1', entry().replace('"a"', `"${mark} \\ud800"`)],
    ['macp.log.append.v1', entry(`,"${mark}":["${mark}",{"${mark}":tru}]`)],
    ['macp.log.append.v1', entry(`,"${mark}":"${mark}\u0001"`)],
    ['macp.log.append.v1', `${entry()}${mark}`],
    ['macp.log.append.v1', mark],
    ['macp.log.append.v1', `"${mark}"`],
    ['macp.log.replace.v1', `["${mark}"]`],
    ['macp.session.save.v1', snapshot(`"${mark}"`)],
    ['macp.session.save.v1', snapshotWith('"Open"', `"${mark}"`)],
    ['macp.session.save.v1', snapshotWith('"roots":[]', `"extensions":{"${mark}":["${mark}"]},"roots":[]`)],
    ['macp.session.save.v1', snapshotWith('"roots":[]', `"roots":[{"${mark}":"${mark}"}]`)],
    ['macp.session.create.v1', `"${mark}"`],
    [skipType, `{"sequence":"${mark}","epoch":1,"by":"a","reason":""}`],
  ])('%s %s', (type, document) => {
    const refusal = message(type, document);
    expect(refusal).toBeDefined();
    expect(refusal).not.toMatch(new RegExp(`${mark}|${number}`));
  });
});

describe('an array of bytes', () => {
  it('holds 0 to 255, written plainly, wherever an element stands', () => {
    const written = Array.from({ length: 1200 }, (_, number) => [
      `${number}`,
      `0${number}`,
      `00${number}`,
      `-${number}`,
    ]).flat();
    const wrong = written.filter((element) => {
      const plain = /^(?:0|[1-9][0-9]*)$/.test(element) && Number(element) <= 255;
      const arrays = [
        `[${element}]`,
        `[1,${element}]`,
        `[${element},22,33,44,55]`,
        `[ ${element} , 1 ]`,
        `[0,10,200,${element},0]`,
      ];
      return arrays.some((array) => (append(entry().replace('[1,2]', array)).refusal === undefined) !== plain);
    });
    expect(wrong).toEqual([]);
  });

  it('has nothing but commas between its elements', () => {
    for (const array of [
      '[1;2,3,4,5]',
      '[1,,2,3,4]',
      '[,1,2,3,4]',
      '[1 2,3,4,5]',
      '[1,2,3,4,]',
      '[1:2]',
      '[1}',
      '[1,2,3,4,5',
      '[12a,3,4,5]',
      '[/,1,2,3]',
      '[1:,2,3]',
    ]) {
      expect(append(entry().replace('[1,2]', array)).refusal?.code, array).toBe('INVALID_DATA');
    }
  });
});

describe('a snapshot', () => {
  it('belongs to the session of its command, however its id is escaped', () => {
    expect(message('macp.session.save.v1', snapshot('"s1"'))).toBeUndefined();
    expect(message('macp.session.save.v1', snapshot('"\\u00731"'))).toBeUndefined();
    expect(message('macp.session.save.v1', snapshot('"s2"'))).toBe("session_id is not the command's session");
  });
});

describe('a decision to skip', () => {
  const decision = '{"sequence":3,"epoch":2,"by":"ops@example","reason":"lost \\u0026 gone","ticket":{"n":1e999}}';

  it('is read, unknown members aside', () => {
    expect(readSkipDecision(bytes(decision))).toEqual({
      sequence: 3,
      epoch: 2,
      by: 'ops@example',
      reason: 'lost & gone',
    });
    expect(text(checkData(skipType, session, bytes(decision.replace(',', ' , '))).data)).toBe(decision);
  });

  it('may give an empty reason and the largest numbers', () => {
    const data = bytes('{"reason":"","by":"a","epoch":9007199254740991,"sequence":1}');
    expect(readSkipDecision(data)).toEqual({ sequence: 1, epoch: 9007199254740991, by: 'a', reason: '' });
  });

  it.each([
    ['{"sequence":0,"epoch":2,"by":"a","reason":""}', 'sequence is not a number from 1 to 2^53-1'],
    ['{"sequence":1,"epoch":9007199254740992,"by":"a","reason":""}', 'epoch is not a number from 1 to 2^53-1'],
    ['{"sequence":"1","epoch":2,"by":"a","reason":""}', 'sequence is a string, not a number from 1 to 2^53-1'],
    ['{"sequence":1.0,"epoch":2,"by":"a","reason":""}', 'sequence is not a number from 1 to 2^53-1'],
    ['{"sequence":1,"epoch":2,"by":"","reason":""}', 'by is empty'],
    ['{"sequence":1,"epoch":2,"by":"a","reason":null}', 'reason is null, not a string'],
    ['{"sequence":1,"epoch":2,"by":"a"}', 'the document lacks "reason"'],
    ['{"sequence":1,"sequence":1,"epoch":2,"by":"a","reason":""}', 'the document has "sequence" twice'],
    ['3', 'the document is a number, not an object'],
  ])('%s is none', (document, expected) => {
    const refusal = { code: 'INVALID_DATA', message: expected };
    expect(readSkipDecision(bytes(document))).toEqual(refusal);
    expect(checkData(skipType, session, bytes(document)).refusal).toEqual(refusal);
  });
});
