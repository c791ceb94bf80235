/** Names and values as lines for people, the values below each other; a name that is repeated stands once. */
export function describeRows(rows: readonly (readonly [name: string, value: string])[]): readonly string[] {
  return rows.map(([name, value], index) => {
    const shown = rows[index - 1]?.[0] === name ? '' : name;
    return `${shown.padEnd(14)} ${value}`;
  });
}

/** `refused 2, fenced 1`, or `none`. */
export function describeCounts(counts: Readonly<Partial<Record<string, number>>>): string {
  const shown = Object.entries(counts).filter(([, count]) => count !== undefined && count > 0);
  return shown.length === 0 ? 'none' : shown.map(([name, count]) => `${name} ${count}`).join(', ');
}
