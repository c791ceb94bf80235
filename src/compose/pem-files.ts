import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { PersistenceError } from '../domain/errors.ts';
import { readNamedFile } from './named-file.ts';

/** A setting that names a file, and the file. */
export interface NamedFile {
  readonly setting: string;
  readonly path: string | undefined;
}

/**
 * Certificates in PEM out of a file; undefined where the setting names none. Throws `INVALID_CONFIGURATION` when it
 * cannot be read or holds none: connections would fail for that again and again, or do without.
 */
export async function readCertificates({ setting, path }: NamedFile): Promise<Buffer | undefined> {
  const pem = await readNamedFile(setting, path);
  if (pem !== undefined) certificateIn(pem, `${setting}: ${path}`);
  return pem;
}

/** An own certificate and its private key, in PEM; undefined where neither is named. */
export async function readIdentity(
  certificate: NamedFile,
  key: NamedFile,
): Promise<{ readonly certificate: Buffer; readonly key: Buffer } | undefined> {
  const [certificatePem, keyPem] = await Promise.all([
    readNamedFile(certificate.setting, certificate.path),
    readNamedFile(key.setting, key.path),
  ]);
  if (certificatePem === undefined && keyPem === undefined) return undefined;
  if (certificatePem === undefined || keyPem === undefined) {
    throw mistake(`${certificate.setting} and ${key.setting} belong together`);
  }
  const first = certificateIn(certificatePem, `${certificate.setting}: ${certificate.path}`);
  if (!first.checkPrivateKey(keyIn(keyPem, `${key.setting}: ${key.path}`))) {
    throw mistake(`${key.setting}: ${key.path} is not the private key of the certificate in ${certificate.path}`);
  }
  return { certificate: certificatePem, key: keyPem };
}

function certificateIn(pem: Buffer, where: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw mistake(`${where} holds no certificate in PEM`, cause);
  }
}

function keyIn(pem: Buffer, where: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw mistake(`${where} holds no private key in PEM, or one that is encrypted`, cause);
  }
}

function mistake(message: string, cause?: unknown): PersistenceError {
  return new PersistenceError('INVALID_CONFIGURATION', message, cause === undefined ? undefined : { cause });
}
