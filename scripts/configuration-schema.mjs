/** `npm run schema`: writes `config/macp-persist.schema.json` anew from the table of settings. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, root } from './project.mjs';

build();
/** @param {string} path */
const compiled = (path) => import(pathToFileURL(join(root, 'dist/src', path)).href);
const { configurationSchema } = await compiled('configuration/schema.js');
const { buildSettings } = await compiled('compose/settings.js');
writeFileSync(
  join(root, 'config/macp-persist.schema.json'),
  `${JSON.stringify(configurationSchema(buildSettings()), null, 2)}\n`,
);
