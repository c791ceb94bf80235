import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { problemSchema } from './answers.ts';
import { documentSchemas } from './documents.ts';

/** Has the routes that are added from now on described as OpenAPI 3.1. */
export async function describeRoutes(app: FastifyInstance, version: string): Promise<void> {
  for (const schema of [problemSchema, ...documentSchemas]) app.addSchema(schema);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'macp-persist',
        version,
        description: 'Commands in, sessions out: the persistence of MACP sessions over HTTP.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags: [
        { name: 'sessions', description: 'Reading sessions' },
        { name: 'commands', description: 'Writing to sessions' },
        { name: 'admin', description: 'Looking after a system' },
        { name: 'operations', description: 'What machines ask a process' },
      ],
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description: 'A token with the scope that is named. None is needed where the service has no tokens.',
          },
        },
      },
    },
    refResolver: { buildLocalReference: (json) => String(json['$id']) },
    transform: ({ schema, url }) => ({ schema: withBytes(schema), url }),
  });
}

/** The schema with the bodies that are taken as bytes, which nobody validates, described like all others. */
function withBytes(schema: object): object {
  const { bytes, ...rest } = { bytes: undefined, ...schema };
  return bytes === undefined ? rest : { ...rest, body: bytes };
}
