/** For each type of field, the JSON texts at which something may go wrong: of a document that serde reads. */

const texts: readonly string[] = [
  '',
  'a',
  'constructor',
  '__proto__',
  'null',
  '0',
  '1e340',
  ' leading and trailing ',
  '"\\/\b\f\n\r\t',
  Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).join(''),
  '\u007f\u0080\u009f\u00a0\u00ad',
  '\u2028\u2029\ufeff\ufffd\uffff',
  'e\u0301\u00e9 \u202eright to left\u202c',
  '数据流 العربية привет',
  '\u{1f469}\u200d\u{1f680}\u{10ffff}\u{10000}',
  '{"a":[1,2,{"b":"\\u0061"}]}',
  '</script><!-- %s %00 $(id) ../../..',
  'long '.repeat(1_600),
];

const signed: readonly string[] = [
  '0',
  '1',
  '-1',
  '255',
  '256',
  '1795486750626',
  '9007199254740991',
  '9007199254740993',
  '-9007199254740993',
  '9223372036854775807',
  '-9223372036854775808',
];

const short: readonly string[] = ['0', '1', '2', '65536', '2147483648', '4294967295'];

const unsigned: readonly string[] = [
  '0',
  '1',
  '4294967296',
  '9007199254740993',
  '9223372036854775808',
  '18446744073709551615',
];

const every = Array.from({ length: 256 }, (_, byte) => byte);

const bytes: readonly string[] = [
  '[]',
  '[0]',
  '[255]',
  '[123,125]',
  JSON.stringify(every),
  JSON.stringify(Array.from({ length: 4_096 }, (_, index) => (index * 167 + 13) % 256)),
];

/** Numbers and nesting that `serde_json::Value` holds, and that JavaScript's own does not. */
const values: readonly string[] = [
  ...['null', 'true', 'false', '""', '[]', '{}', '[[],{}]'],
  ...['0', '-1', '9007199254740993', '18446744073709551615', '-9223372036854775808'],
  ...['0.0', '-0.0', '0.5', '-1.25', '123456.789', '1e15', '1e16', '1.5e300', '5e-7', '0.00001', '100.0', '1E2'],
  ...texts.map((text) => JSON.stringify(text)),
  '{"b":1,"a":{"d":[],"c":null},"10":0,"9":0,"":0,"é":0,"Z":0,"\u{10000}":0,"\uffff":0,"__proto__":{"x":1}}',
  `${'[{"a":'.repeat(40)}0.0${'}]'.repeat(40)}`,
];

const keyed = texts.map((text, index) => `${JSON.stringify(text)}:${bytes[index % bytes.length]}`);
const listed = `[${texts.map((text) => JSON.stringify(text)).join(',')}]`;
const thousand = JSON.stringify(Array.from({ length: 1_000 }, (_, index) => `agent://p${(index * 7919) % 1_000}`));

const policies = values.map((rules, index) => {
  const [id, mode, description] = [0, 5, 11].map((step) => JSON.stringify(texts[(index + step) % texts.length]));
  const version = short[index % short.length];
  return `{"policy_id":${id},"mode":${mode},"description":${description},"rules":${rules},"schema_version":${version}}`;
});

const roots = texts.map((text, index) => {
  return `{"uri":${JSON.stringify(text)},"name":${JSON.stringify(texts[(index + 7) % texts.length])}}`;
});

const optional = (items: readonly string[]): readonly string[] => ['null', ...items];

const types = {
  text: texts.map((text) => JSON.stringify(text)),
  'optional text': optional(texts.map((text) => JSON.stringify(text))),
  signed,
  'optional signed': optional(signed),
  short,
  unsigned,
  bytes,
  'optional bytes': optional(bytes),
  texts: ['[]', '[""]', '["a","a"]', '["b","a",""]', listed, thousand],
  'bytes by text': ['{}', '{"":[]}', '{"10":[1],"9":[2],"a":[3]}', `{${keyed.join(',')}}`],
  roots: ['[]', ...roots.map((root) => `[${root}]`), `[${roots.join(',')}]`],
  policy: optional(policies),
  intervals: ['[]', '[[0,0]]', '[[-9223372036854775808,9223372036854775807],[9007199254740993,-1]]'],
  state: ['"Open"', '"Suspended"', '"Resolved"', '"Expired"', '"Cancelled"'],
  'kind of entry': ['"Incoming"', '"Internal"', '"Checkpoint"'],
} as const satisfies Record<string, readonly string[]>;

type TypeName = keyof typeof types;

const entryTypes: Readonly<Record<string, TypeName>> = {
  message_id: 'text',
  received_at_ms: 'signed',
  sender: 'text',
  message_type: 'text',
  raw_payload: 'bytes',
  entry_kind: 'kind of entry',
  session_id: 'text',
  mode: 'text',
  macp_version: 'text',
  timestamp_unix_ms: 'signed',
  bound_mode_version: 'optional text',
  semantics_rev: 'short',
  bound_max_suspend_ms: 'optional signed',
  compacted_incoming_ordinals: 'unsigned',
};

const snapshotTypes: Readonly<Record<string, TypeName>> = {
  schema_version: 'short',
  state: 'state',
  ttl_expiry: 'signed',
  ttl_ms: 'signed',
  started_at_unix_ms: 'signed',
  resolution: 'optional bytes',
  mode: 'text',
  mode_state: 'bytes',
  participants: 'texts',
  seen_message_ids: 'texts',
  intent: 'text',
  mode_version: 'text',
  configuration_version: 'text',
  policy_version: 'text',
  context_id: 'text',
  extensions: 'bytes by text',
  roots: 'roots',
  initiator_sender: 'text',
  policy_definition: 'policy',
  suspended_at_ms: 'optional signed',
  accumulated_suspended_ms: 'signed',
  suspension_intervals: 'intervals',
  semantics_rev: 'short',
  max_suspend_ms: 'signed',
};

/** For each field of a log entry, of every release, in upstream's order: its limits. */
export const entryLimits: ReadonlyMap<string, readonly string[]> = limitsOf(entryTypes);

/** The same for a snapshot, but for its session's id. */
export const snapshotLimits: ReadonlyMap<string, readonly string[]> = limitsOf(snapshotTypes);

function limitsOf(fields: Readonly<Record<string, TypeName>>): ReadonlyMap<string, readonly string[]> {
  return new Map(Object.entries(fields).map(([name, type]) => [name, types[type]]));
}
