import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryDirectory } from './temporary.ts'

export interface Certificate {
  /** Paths. */
  readonly cert: string
  readonly key: string
  /** What a client has to trust. */
  readonly ca: Buffer
}

/** Makes a certificate for 127.0.0.1 that signs itself, over what `directory` has had so far. */
export async function makeCertificate(directory?: string): Promise<Certificate> {
  const home = directory ?? (await temporaryDirectory())
  const [cert, key] = [join(home, 'cert.pem'), join(home, 'key.pem')]
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost']
  await promisify(execFile)('openssl', ['req', ...kind, ...names, '-keyout', key, '-out', cert])
  return { cert, key, ca: await readFile(cert) }
}
