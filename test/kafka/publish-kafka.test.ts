import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../scripts/project.mjs';
import { blocksOf, runConsole } from '../support/console.ts';
import { placePrograms, steady } from '../support/documents.ts';
import { deleteTopicsNamed, kafkaAddress, uniqueName } from '../support/kafka.ts';
import { pythonWithKafka } from '../support/python.ts';

/** Ids of dead letters follow from the names of the writers; copies of topics from how many brokers there are. */
const unlike = (text: string): string =>
  steady(text)
    .replaceAll(/\b[0-9a-f]{32}\b/g, '…')
    .replaceAll(/replicas: [0-9]+/g, 'replicas: …');

test('what docs/publish-kafka.md shows is what kcat and confluent-kafka do', async () => {
  const document = readFileSync(join(root, 'docs/publish-kafka.md'), 'utf8');
  const directory = mkdtempSync(join(tmpdir(), 'publish-kafka-'));
  using programs = placePrograms({ python3: pythonWithKafka() });
  const topic = uniqueName();
  try {
    writeFileSync(join(directory, 'publish.py'), blocksOf(document, 'python').join(''));
    const shown = blocksOf(document, 'console')
      .join('')
      .replaceAll('127.0.0.1:9092', kafkaAddress())
      .replaceAll('macp.commands', topic);
    const { commands, stdout, stderr } = runConsole(shown, directory, { PATH: programs.path });
    expect(stderr).toBe('');
    expect(unlike(stdout)).toBe(unlike(shown));
    expect(commands).toBeGreaterThan(20);
  } finally {
    await deleteTopicsNamed(kafkaAddress(), topic);
    rmSync(directory, { recursive: true });
  }
});
