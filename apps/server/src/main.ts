#!/usr/bin/env node
import { readFileSync, statSync } from 'node:fs'
import closeWithGrace from 'close-with-grace'
import { type Config, ConfigError, helpText, loadConfig } from './config.ts'
import { explain } from './explain.ts'
import { listen } from './listen.ts'
import { listenWithWorkers } from './primary.ts'
import { work, workerConfig } from './worker.ts'

async function main(argv: readonly string[]): Promise<void> {
  if (argv.includes('--help')) return write(helpText())
  if (argv.includes('--version')) return write(`${version()}\n`)
  const config = loadConfig(argv, process.env)
  checkAssets(config)
  const server = await (config.workers === 1 ? listen(config) : listenWithWorkers(config))
  closeWithGrace({ delay: false, logger: false }, async ({ err }) => {
    if (err !== undefined) console.error(explain(err).text)
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

function summary({ data, s3, accept, readOnly, host, workers }: Config): string {
  const uploads = readOnly ? 'none, read-only' : accept.join(', ')
  const videos = s3 === undefined ? data : `s3://${s3.bucket}/${s3.prefix} at ${s3.endpoint ?? 'AWS'}`
  const lines = `  videos   ${videos}\n  uploads  ${uploads}\n  host     ${host}\n`
  return workers === 1 ? lines : `${lines}  workers  ${workers}\n`
}

function write(text: string): void {
  process.stdout.write(text)
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(text) as { version: string }
  return version
}

const fromPrimary = workerConfig()
const running = fromPrimary === null ? main(process.argv.slice(2)) : work(fromPrimary)
running.catch((error: unknown) => {
  const { text, exitCode } = explain(error)
  console.error(text)
  process.exitCode = exitCode
})
