#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import closeWithGrace from 'close-with-grace'
import { type Config, ConfigError, helpText, loadConfig } from './config.ts'
import { listen } from './listen.ts'

const BAD_USAGE = 2

async function main(argv: readonly string[]): Promise<void> {
  if (argv.includes('--help')) return write(helpText())
  if (argv.includes('--version')) return write(`${version()}\n`)
  const config = loadConfig(argv, process.env)
  const server = await listen(config)
  closeWithGrace({ delay: false, logger: false }, async ({ err }) => {
    if (err !== undefined) console.error(err)
    await server.close()
  })
  write(`${server.url}\n${summary(config)}`)
}

function summary({ data, accept, readOnly, host }: Config): string {
  const uploads = readOnly ? 'none, read-only' : accept.join(', ')
  return `  videos   ${data}\n  uploads  ${uploads}\n  host     ${host}\n`
}

function write(text: string): void {
  process.stdout.write(text)
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(text) as { version: string }
  return version
}

/** One line for what the person who started it can mend; a stack only for what we have to. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error ? String(error.code) : ''
  const { address = '', port = '', path = '' } = error as { address?: string; port?: number; path?: string }
  if (code === 'EADDRINUSE')
    return `${address}:${port} is taken: choose another --port, or 0 for any free one.`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `--host names no address of this machine: ${error.message}.`
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return port === ''
      ? `--data cannot be written: ${path} (${code}).`
      : `--port ${port} needs more rights (${code}).`
  }
  return error instanceof ConfigError || code !== '' ? error.message : (error.stack ?? error.message)
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(explain(error))
  process.exitCode = error instanceof ConfigError ? BAD_USAGE : 1
})
