import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { provideByPackages } from '../debian-packages.mjs';
import { Refusal } from '../project.mjs';

/**
 * Certificates of an authority that nobody else trusts, as files in PEM. Each lasts a day.
 *
 * @typedef {object} Certificate
 * @property {string} certificate the file with the certificate
 * @property {string} key the file with its private key, not encrypted
 *
 * @typedef {object} Authority
 * @property {string} certificate the file with the authority's certificate
 * @property {(name: string) => Certificate} issue a certificate for the subject `CN=name`, valid as that of a server at
 *   127.0.0.1 and `localhost`, and as that of a client
 */

/**
 * Makes an authority in a directory.
 *
 * @param {string} directory
 * @returns {Promise<Authority>}
 */
export async function makeAuthority(directory) {
  await provideByPackages({
    what: 'openssl',
    purpose: 'Making certificates',
    packages: ['openssl'],
    works: () => spawnSync('openssl', ['version']).status === 0,
  });
  mkdirSync(directory, { recursive: true });
  /** @param {string} name */
  const files = (name) => ({ certificate: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) });
  const authority = files('authority');
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...fresh, '-days', '1', '-subj', '/CN=authority', ...out(authority));
  return {
    certificate: authority.certificate,
    issue: (name) => {
      const issued = files(name);
      const request = join(directory, `${name}.csr`);
      const names = join(directory, `${name}.extensions`);
      writeFileSync(names, 'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n');
      openssl('req', ...fresh, '-subj', `/CN=${name}`, '-keyout', issued.key, '-out', request);
      const by = ['-CA', authority.certificate, '-CAkey', authority.key, '-CAcreateserial'];
      openssl('x509', '-req', '-in', request, ...by, '-days', '1', '-extfile', names, '-out', issued.certificate);
      return issued;
    },
  };
}

/**
 * Key and certificate in one text, as Kafka wants them.
 *
 * @param {Certificate} certificate
 */
export function inOneText({ certificate, key }) {
  return readFileSync(key, 'utf8') + readFileSync(certificate, 'utf8');
}

/** @param {Certificate} certificate */
function out({ certificate, key }) {
  return ['-keyout', key, '-out', certificate];
}

/** @param {string[]} parameters */
function openssl(...parameters) {
  const { status, stderr } = spawnSync('openssl', parameters, { encoding: 'utf8' });
  if (status !== 0) throw new Refusal(`openssl ${parameters.join(' ')} failed:\n${stderr}`);
}
