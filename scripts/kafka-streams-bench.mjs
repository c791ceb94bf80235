import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { provideByPackages } from './debian-packages.mjs';
import { Refusal, root } from './project.mjs';
import { cached } from './services/cache.mjs';

const folder = join(root, 'bench/kafka-streams');
const source = join(folder, 'RestoreStore.java');
const pom = join(folder, 'pom.xml');
const purpose = 'The bench of Kafka Streams';

/**
 * Compiles the program that restores a topic with Kafka Streams, whose jars come from Maven Central. Returns the
 * environment in which the bench finds it.
 *
 * @returns {Promise<Record<string, string>>}
 */
export async function provideKafkaStreamsBench() {
  const content = createHash('sha256').update(readFileSync(source)).update(readFileSync(pom)).digest('hex');
  return { BENCH_KAFKA_STREAMS: await cached(`kafka-streams-bench-${content.slice(0, 16)}`, compile) };
}

/** @param {string} directory */
async function compile(directory) {
  await provideByPackages({
    what: 'A Java compiler',
    purpose,
    packages: ['default-jdk-headless'],
    works: () => spawnSync('javac', ['-version']).status === 0,
  });
  await provideByPackages({
    what: 'Maven called mvn',
    purpose,
    packages: ['maven'],
    works: () => spawnSync('mvn', ['--version']).status === 0,
  });
  const lib = join(directory, 'lib');
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${lib}`];
  run('mvn', ['-q', '-B', '-Dstyle.color=never', '-f', pom, ...goal]);
  run('javac', ['-cp', join(lib, '*'), '-d', join(directory, 'classes'), source]);
}

/**
 * @param {string} program
 * @param {readonly string[]} parameters
 */
function run(program, parameters) {
  const { status } = spawnSync(program, parameters, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Refusal(`${purpose} needs Kafka Streams from Maven Central, and ${program} failed.`);
}
