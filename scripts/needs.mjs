import { provideCCompiler } from './c-compiler.mjs';
import { provideCurl, providePython } from './document-tools.mjs';
import { provideSchemathesis } from './schemathesis.mjs';

/**
 * What suites may need besides Node, by the names that `suites.mjs` uses. Each is provided before the tests start and
 * may return environment variables for them (addresses of services, for instance) and how to take it away afterwards.
 * Throws when it cannot be provided: a suite that cannot run has not passed.
 *
 * @typedef {{ environment?: Record<string, string>, close?: () => Promise<void> }} Provided
 * @type {Record<string, (scratch: string) => Promise<Provided | void>>}
 */
export const needs = {
  'C compiler': provideCCompiler,
  curl: provideCurl,
  Python: providePython,
  schemathesis: provideSchemathesis,
};
