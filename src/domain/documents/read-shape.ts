import { isDigit, type JsonReader } from './json-reader.ts';
import { decodeText, textBetween } from './json-text.ts';
import { serdeLimits } from './serde-limits.ts';
import {
  type ChoiceShape,
  type DocumentShape,
  type Field,
  type IntegerShape,
  integer,
  type Shape,
  ShapeError,
} from './shape.ts';

const byteShape = integer('a byte', 0n, 255n);
const nothing = Buffer.from('null', 'latin1');
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const comma = 0x2c;

/**
 * Passes one document of `shape`. Known members may stand once, in any order. The offset at which the value of a
 * noted field starts is written into `notes`. Throws {@link JsonSyntaxError} or {@link ShapeError}.
 */
export function readDocument(reader: JsonReader, shape: DocumentShape, notes?: number[]): void {
  if (reader.next() !== openBrace) mismatch(reader, 'an object');
  const start = reader.at;
  reader.at += 1;
  let seen = 0;
  let following = 0;
  if (reader.next() === closeBrace) reader.at += 1;
  else {
    for (;;) {
      const index = readKey(reader, shape, following);
      if (index === unknownField) reader.value();
      else {
        const field = shape.fields[index] as Field;
        if ((seen & (1 << index)) !== 0) throw new ShapeError(start, `has ${JSON.stringify(field.name)} twice`);
        seen |= 1 << index;
        following = index + 1;
        const note = shape.notes[index] ?? -1;
        if (notes !== undefined && note >= 0) {
          reader.next();
          notes[note] = reader.at;
        }
        readShape(reader, field.shape);
      }
      if (!another(reader, closeBrace, '"," or "}"')) break;
    }
  }
  if ((seen & shape.required) !== shape.required) throw new ShapeError(start, missing(shape, seen));
}

const unknownField = -1;

/** Passes a key and its colon. The index of the field it names, or -1; `following` is the one most likely to come. */
function readKey(reader: JsonReader, shape: DocumentShape, following: number): number {
  reader.next();
  const token = shape.tokens[following];
  if (token !== undefined && reader.passIf(token)) return following;
  const start = reader.at;
  reader.text(true);
  const name = decodeText(reader.bytes, start);
  reader.expect(0x3a, '":"');
  return shape.indexes.get(name) ?? unknownField;
}

function missing(shape: DocumentShape, seen: number): string {
  const names = shape.fields.filter((field, index) => field.required && (seen & (1 << index)) === 0);
  return `lacks ${names.map((field) => JSON.stringify(field.name)).join(', ')}`;
}

/** Passes the comma before another element, or the end of the container. */
function another(reader: JsonReader, close: number, expected: string): boolean {
  const byte = reader.next();
  if (byte !== comma && byte !== close) reader.fail(expected);
  reader.at += 1;
  return byte === comma;
}

/** Passes one value of `shape`. Throws {@link JsonSyntaxError} or {@link ShapeError}. */
function readShape(reader: JsonReader, shape: Shape): void {
  switch (shape.kind) {
    case 'text':
      readText(reader, shape.empty === 'allowed');
      break;
    case 'integer':
      readInteger(reader, shape);
      break;
    case 'bytes':
      readBytes(reader);
      break;
    case 'choice':
      readChoice(reader, shape);
      break;
    case 'optional':
      reader.next();
      if (!reader.passIf(nothing)) readShape(reader, shape.of);
      break;
    case 'list':
      readElements(reader, shape.of);
      break;
    case 'pair':
      readPair(reader, shape.of);
      break;
    case 'map':
      readMap(reader, shape.of);
      break;
    case 'document':
      readDocument(reader, shape.of);
      break;
    case 'any':
      reader.value(serdeLimits(reader, shape.depth));
  }
}

function readText(reader: JsonReader, mayBeEmpty: boolean): void {
  if (reader.next() !== 0x22) mismatch(reader, 'a string');
  const start = reader.at;
  reader.text(true);
  if (!mayBeEmpty && reader.at === start + 2) throw new ShapeError(start, 'is empty');
}

function readChoice(reader: JsonReader, shape: ChoiceShape): void {
  if (reader.next() !== 0x22) mismatch(reader, 'a string');
  for (const token of shape.tokens) if (reader.passIf(token)) return;
  const start = reader.at;
  reader.text(true);
  if (!shape.words.includes(decodeText(reader.bytes, start))) {
    throw new ShapeError(start, `is none of ${shape.words.join(', ')}`);
  }
}

function readMap(reader: JsonReader, of: Shape): void {
  if (reader.next() !== openBrace) mismatch(reader, 'an object');
  reader.at += 1;
  if (reader.next() === closeBrace) {
    reader.at += 1;
    return;
  }
  do {
    reader.text(true);
    reader.expect(0x3a, '":"');
    readShape(reader, of);
  } while (another(reader, closeBrace, '"," or "}"'));
}

function readPair(reader: JsonReader, of: Shape): void {
  reader.next();
  const start = reader.at;
  const count = readElements(reader, of);
  if (count !== 2) throw new ShapeError(start, `has ${count} elements, not 2`);
}

function readElements(reader: JsonReader, of: Shape): number {
  if (reader.next() !== openBracket) mismatch(reader, 'an array');
  reader.at += 1;
  if (reader.next() === closeBracket) {
    reader.at += 1;
    return 0;
  }
  let count = 0;
  do {
    readShape(reader, of);
    count += 1;
  } while (another(reader, closeBracket, '"," or "]"'));
  return count;
}

/** 1 for the ASCII digits, 0 for all other bytes. */
const digits = new Uint8Array(256).fill(1, 0x30, 0x3a);
const text255 = 0x323535;

/**
 * Payloads are most of what is stored, so their usual form, digits and commas, is passed in one tight loop. Whether a
 * number has one, two or three digits cannot be predicted: they are counted without branching.
 */
function readBytes(reader: JsonReader): void {
  if (reader.next() !== openBracket) mismatch(reader, 'an array of bytes');
  const { bytes, end } = reader;
  const from = reader.at + 1;
  let at = from;
  while (at < end - 3) {
    const first = bytes[at] ?? 0;
    const second = bytes[at + 1] ?? 0;
    const third = bytes[at + 2] ?? 0;
    const two = digits[second] ?? 0;
    const three = two & (digits[third] ?? 0);
    const startsWithZero = two > first - 0x30;
    const tooLarge = three * ((first << 16) | (second << 8) | third) > text255;
    if (digits[first] === 0 || startsWithZero || tooLarge) break;
    const next = at + 1 + two + three;
    const separator = bytes[next];
    if (separator === closeBracket) {
      reader.at = next + 1;
      return;
    }
    if (separator !== comma) break;
    at = next + 1;
  }
  reader.at = at;
  readOtherBytes(reader, at === from);
}

/** The rest of an array of bytes in any form; `mayEnd` when nothing was passed but the opening bracket. */
function readOtherBytes(reader: JsonReader, mayEnd: boolean): void {
  if (mayEnd && reader.next() === closeBracket) {
    reader.at += 1;
    return;
  }
  do readInteger(reader, byteShape);
  while (another(reader, closeBracket, '"," or "]"'));
}

/** An integer as serde reads one: no fraction, no exponent, and `-0` is a fraction there. */
function readInteger(reader: JsonReader, shape: IntegerShape): void {
  const first = reader.next();
  if (first !== 0x2d && !isDigit(first)) mismatch(reader, shape.name);
  const start = reader.at;
  reader.number();
  const { bytes, at } = reader;
  const value = shortInteger(bytes, start, at);
  if (value >= shape.lowestDouble && value <= shape.highestDouble) return;
  const text = textBetween(bytes, start, at);
  const isInteger = /^(?:[0-9]|-[1-9])[0-9]*$/.test(text) && text.length <= 20;
  if (!isInteger || BigInt(text) < shape.lowest || BigInt(text) > shape.highest) {
    throw new ShapeError(start, `is not ${shape.name}`);
  }
}

/** The number of at most 15 digits that stands from `start` to `end`, or NaN when something else does. */
function shortInteger(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > 15) return Number.NaN;
  let value = 0;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    if (!isDigit(byte)) return Number.NaN;
    value = value * 10 + byte - 0x30;
  }
  return value;
}

/** Throws that the value that is due is another than `wanted`, or that there is none. */
export function mismatch(reader: JsonReader, wanted: string): never {
  const first = reader.next();
  const start = reader.at;
  const container = { 91: 'an array', 123: 'an object', 34: 'a string' }[first];
  if (container !== undefined) throw new ShapeError(start, `is ${container}, not ${wanted}`);
  reader.value();
  const found = { 102: 'false', 110: 'null', 116: 'true' }[first] ?? 'a number';
  throw new ShapeError(start, `is ${found}, not ${wanted}`);
}
