/** One metric as it stands in Prometheus's text format, with all its samples. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  /** Label names of its samples, without `le`. */
  readonly labels: readonly string[];
  readonly samples: readonly { readonly name: string; readonly labels: string; readonly value: number }[];
}

const sample = /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*",?)*)\})? (\S+)$/;
const suffixes: Readonly<Record<string, readonly string[]>> = {
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
};

/** Reads the text format strictly: HELP, TYPE, samples, each family once, each series once. Throws on anything else. */
export function familiesOf(text: string): readonly Family[] {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const families = text
    .trim()
    .split(/\n+(?=# HELP )/)
    .map(readFamily);
  const names = families.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`${twice} stands twice`);
  return families;
}

function readFamily(text: string): Family {
  const [helpLine = '', typeLine = '', ...lines] = text.split('\n').filter((line) => line !== '');
  const [, name = '', help = ''] = /^# HELP (\S+) (.+)$/.exec(helpLine) ?? refuse(helpLine);
  const [, typed, type = ''] = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(typeLine) ?? refuse(typeLine);
  if (typed !== name) refuse(typeLine);
  const allowed = (suffixes[type] ?? ['']).map((suffix) => `${name}${suffix}`);
  const series = new Set<string>();
  const samples = lines.map((line) => {
    const [, sampled = '', labels = '', value = ''] = sample.exec(line) ?? refuse(line);
    if (!allowed.includes(sampled) || series.has(`${sampled}{${labels}`)) refuse(line);
    if (value !== 'Nan' && value !== '+Inf' && Number.isNaN(Number(value))) refuse(line);
    series.add(`${sampled}{${labels}`);
    return { name: sampled, labels, value: Number(value) };
  });
  const labels = new Set(
    samples.flatMap((each) => [...each.labels.matchAll(/(\w+)="/g)].map(([, label = '']) => label)),
  );
  labels.delete('le');
  return { name, help, type, labels: [...labels], samples };
}

/** What is against Prometheus's conventions for names, as `promtool check metrics` looks for it. */
export function misuseOf({ name, help, type, samples }: Family): readonly string[] {
  const complaints: string[] = [];
  const complain = (wrong: boolean, what: string) => {
    if (wrong) complaints.push(`${name}: ${what}`);
  };
  complain(!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name), 'not in snake case');
  complain(help.trim() === '', 'no help');
  complain((type === 'counter') !== name.endsWith('_total'), 'only counters end in _total, and all do');
  complain(/_(bucket|sum|count)$/.test(name), 'ends like a part of a histogram');
  complain(/(milli|micro|nano)seconds|_ms\b|kilobytes|[km]i?b\b|percent|minutes|hours/.test(name), 'not a base unit');
  complain(new RegExp(`_${type}(_|$)`).test(name), 'its type is in its name');
  if (type === 'histogram') {
    const infinite = samples.filter(({ labels }) => labels.includes('le="+Inf"'));
    const counts = samples.filter((each) => each.name === `${name}_count`);
    complain(
      infinite.length === 0 || infinite.map(({ value }) => value).join() !== counts.map(({ value }) => value).join(),
      'its last bucket is not its count',
    );
  }
  return complaints;
}

function refuse(line: string): never {
  throw new Error(`not the text format: ${line}`);
}
