import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provideByPackages } from '../debian-packages.mjs';
import { Refusal, root } from '../project.mjs';
import { cached } from './cache.mjs';
import { brokerProperties, plain, propertiesFile } from './kafka-properties.mjs';
import { freePorts } from './ports.mjs';
import { startServer } from './server.mjs';

/** The version that `kafka-pom.xml` names. */
export const kafkaVersion = '4.3.1';
const purpose = 'Kafka';
const folder = join(root, 'scripts/services');

/**
 * Makes sure that a Kafka broker can be started on this machine: Java and Maven from Debian's packages, the broker's
 * jars from Maven Central. Returns the directory that holds it.
 */
export async function provideKafka() {
  await provideByPackages({
    what: 'Java 17 or newer',
    purpose,
    packages: ['default-jre-headless'],
    works: () => Number(/version "(\d+)/.exec(spawnSync('java', ['-version'], { encoding: 'utf8' }).stderr)?.[1]) >= 17,
  });
  return await cached(`kafka-${kafkaVersion}`, install);
}

/**
 * The command that runs a class of Kafka's.
 *
 * @param {string} installation what `provideKafka` returned, and the directory to run in
 * @param {string} name
 * @param {readonly string[]} parameters
 * @param {readonly string[]} [options] for the Java machine
 */
export function javaCommand(installation, name, parameters, options = ['-XX:SharedArchiveFile=classes.jsa']) {
  // Relative, and in one order: the archive of loaded classes holds for exactly this class path.
  const jars = readdirSync(join(installation, 'lib')).sort();
  const tuning = ['-Xmx1g', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto', '-Xlog:cds=off'];
  const logging = `-Dlog4j2.configurationFile=${join(folder, 'kafka-log4j2.properties')}`;
  const classPath = jars.map((jar) => `lib/${jar}`).join(':');
  return {
    program: 'java',
    parameters: [...tuning, ...options, logging, '-cp', classPath, name, ...parameters],
    directory: installation,
  };
}

/**
 * Runs a tool of Kafka's to its end and returns what it said. Throws a Refusal with that when it fails.
 *
 * @param {string} installation
 * @param {string} name
 * @param {readonly string[]} parameters
 */
export function runTool(installation, name, parameters) {
  const { program, parameters: all, directory } = javaCommand(installation, name, parameters);
  const { status, stdout, stderr } = spawnSync(program, all, { cwd: directory, encoding: 'utf8' });
  if (status !== 0) throw new Refusal(`${name} failed:\n${stdout}${stderr}`);
  return stdout;
}

/** @param {string} directory */
async function install(directory) {
  await provideByPackages({
    what: 'Maven called mvn',
    purpose,
    packages: ['maven'],
    works: () => spawnSync('mvn', ['--version']).status === 0,
  });
  console.log(`Fetching Kafka ${kafkaVersion} (44 MB) from Maven Central`);
  const target = `-DoutputDirectory=${join(directory, 'lib')}`;
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', target];
  const { status } = spawnSync(
    'mvn',
    ['-q', '-B', '-Dstyle.color=never', '-f', join(folder, 'kafka-pom.xml'), ...goal],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  if (status !== 0) throw new Refusal('Maven did not bring Kafka; is Maven Central reachable?');
  await prepare(directory);
}

/**
 * Keeps what every broker would otherwise spend seconds on: the first records of its metadata, which say which features
 * a cluster of this version has, and an archive of the classes that it loads.
 *
 * @param {string} installation
 */
async function prepare(installation) {
  const directory = mkdtempSync(join(tmpdir(), 'macp-persist-kafka-'));
  try {
    const [client = 0, controller = 0] = await freePorts(2);
    const node = { id: 1, directory, ports: { [plain.name]: client, CONTROLLER: controller } };
    const settings = join(directory, 'server.properties');
    writeFileSync(settings, propertiesFile(brokerProperties(node, [node], [], {})));
    runTool(installation, 'kafka.tools.StorageTool', ['format', '-t', randomIdentity(), '-c', settings]);
    mkdirSync(join(installation, 'metadata'));
    copyFileSync(join(directory, 'data/bootstrap.checkpoint'), join(installation, 'metadata/bootstrap.checkpoint'));
    const recording = ['-XX:ArchiveClassesAtExit=classes.jsa'];
    const broker = await startServer({
      ...javaCommand(installation, 'kafka.Kafka', [settings], recording),
      name: 'Kafka',
      ready: kafkaIsReady,
    });
    await broker.stop();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What a broker says once it serves. */
export const kafkaIsReady = /Kafka Server started/;

/** An identity as Kafka writes them: 16 bytes, of which the first is no minus sign. */
export function randomIdentity() {
  for (;;) {
    const identity = randomBytes(16).toString('base64url');
    if (!identity.startsWith('-')) return identity;
  }
}
