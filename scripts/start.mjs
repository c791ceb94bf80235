/**
 * `npm start`: installs and builds what is missing, then runs the standalone service in this very process, so that
 * signals reach it. What follows `--` goes to `macp-persist start`: `npm start -- --http-port 9000`.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, installDependencies, Refusal, requireNode, root } from './project.mjs';

try {
  requireNode();
  installDependencies();
  build();
  const program = join(root, 'dist/src/cli/main.js');
  process.argv = [process.execPath, program, 'start', ...process.argv.slice(2)];
  await import(pathToFileURL(program).href);
} catch (error) {
  console.error(error instanceof Refusal ? error.message : error);
  process.exitCode = 1;
}
