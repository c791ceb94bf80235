import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The Python that has confluent-kafka, which `npm test` provides to the suites that need it. */
export function pythonWithKafka(): string {
  const python = process.env['MACP_PERSIST_TEST_PYTHON'];
  if (python === undefined || python === '') throw new Error('MACP_PERSIST_TEST_PYTHON is not set: npm test sets it');
  return python;
}

/** Runs a program in that Python. Resolves with what it printed; rejects, with what it said, when it fails. */
export async function runPython(program: string, ...parameters: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(pythonWithKafka(), ['-c', program, ...parameters]);
  return stdout;
}
