import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { type Config, ConfigError } from '../config/config.ts'

export interface Certificate {
  readonly cert: Buffer
  readonly key: Buffer
}

/**
 * The certificate and key of HTTPS, or `null` without.
 *
 * @throws ConfigError where one cannot be read, or they do not belong together
 */
export function readCertificate({ tlsCert, tlsKey }: Config): Certificate | null {
  if (tlsCert === undefined || tlsKey === undefined) return null
  const certificate = { cert: read('tls-cert', tlsCert), key: read('tls-key', tlsKey) }
  try {
    createSecureContext(certificate)
  } catch (error) {
    throw new ConfigError(
      `--tls-cert ${tlsCert} and --tls-key ${tlsKey} are not a certificate and its key in PEM: ${errorMessage(error)}.`,
    )
  }
  return certificate
}

function read(flag: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new ConfigError(`--${flag} cannot be read: ${errorMessage(error)}.`)
  }
}

function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
