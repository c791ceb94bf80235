import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * Runs a program in the Python that has confluent-kafka, which `npm test` provides to the suites that need it. Resolves
 * with what it printed; rejects, with what it said, when it fails.
 */
export async function runPython(program: string, ...parameters: readonly string[]): Promise<string> {
  const python = process.env['MACP_PERSIST_TEST_PYTHON'];
  if (python === undefined || python === '') throw new Error('MACP_PERSIST_TEST_PYTHON is not set: npm test sets it');
  const { stdout } = await promisify(execFile)(python, ['-c', program, ...parameters]);
  return stdout;
}
