/** The three names of a setting: all derive from its key, so that nobody has to remember a second rule. */

const environmentPrefix = 'MACP_PERSIST_';

/** The flag of a key: `kafka.brokers` is `--kafka-brokers`, `dataDir` is `--data-dir` (without the dashes here). */
export function flagOf(key: string): string {
  return words(key).join('-');
}

/** The environment variable of a key: `kafka.brokers` is `MACP_PERSIST_KAFKA_BROKERS`. */
export function variableOf(key: string): string {
  return environmentPrefix + words(key).join('_').toUpperCase();
}

/** The words of a key, in lower case: `kafka.maximumBacklog` is kafka, maximum, backlog. */
function words(key: string): readonly string[] {
  return key
    .split('.')
    .flatMap((part) => part.split(/(?=[A-Z])/))
    .map((word) => word.toLowerCase());
}

// Kubernetes sets these for a service that is named macp-persist; they are nobody's settings.
const serviceLink =
  /^MACP_PERSIST_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;

/** True for an environment variable that is meant as one of our settings. */
export function isSettingVariable(name: string): boolean {
  return name.startsWith(environmentPrefix) && !serviceLink.test(name);
}

/** The known name nearest to `name`, when it is near enough to have been meant. */
function nearestName(name: string, known: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let smallest = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < smallest) {
      smallest = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

/** `; did you mean X?` where a known name is near, else nothing. */
export function suggestion(name: string, known: Iterable<string>, prefix = ''): string {
  const nearest = nearestName(name, known);
  return nearest === undefined ? '' : `; did you mean ${prefix}${nearest}?`;
}

/** Levenshtein's distance: how many characters have to be put in, taken out or changed. */
function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const changed = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(changed, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}
