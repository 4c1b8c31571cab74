#!/usr/bin/env node
import { readFileSync, statSync } from 'node:fs'
import closeWithGrace from 'close-with-grace'
import { type Config, ConfigError, helpText, loadConfig } from './config.ts'
import { listen } from './listen.ts'

const BAD_USAGE = 2

async function main(argv: readonly string[]): Promise<void> {
  if (argv.includes('--help')) return write(helpText())
  if (argv.includes('--version')) return write(`${version()}\n`)
  const config = loadConfig(argv, process.env)
  checkAssets(config)
  const server = await listen(config)
  closeWithGrace({ delay: false, logger: false }, async ({ err }) => {
    if (err !== undefined) console.error(err)
    await server.close()
  })
  write(`${server.url}\n${summary(config)}`)
}

function checkAssets({ assets }: Config): void {
  try {
    if (statSync(assets).isDirectory()) return
  } catch (error) {
    throw new ConfigError(`--assets cannot be read: ${error instanceof Error ? error.message : error}.`)
  }
  throw new ConfigError(`--assets ${assets} is no directory.`)
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

/** One line for what the person who started it can mend, and exit 2 where a value is bad; a stack only for what we have to. */
function explain(error: unknown): { readonly text: string; readonly exitCode: number } {
  if (!(error instanceof Error)) return { text: String(error), exitCode: 1 }
  if (error instanceof ConfigError) return { text: error.message, exitCode: BAD_USAGE }
  const { code = '', address, port } = error as Error & { code?: string; address?: string; port?: number }
  if (code === 'EADDRINUSE') {
    return { text: `${address}:${port} is taken: choose another --port, or 0 for any free one.`, exitCode: 1 }
  }
  if (code === 'EACCES') return { text: `--port ${port} needs more rights.`, exitCode: 1 }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return { text: `--host names no address of this machine: ${error.message}.`, exitCode: BAD_USAGE }
  }
  return { text: error.stack ?? error.message, exitCode: 1 }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const { text, exitCode } = explain(error)
  console.error(text)
  process.exitCode = exitCode
})
