#!/usr/bin/env node
import { readFileSync, statSync } from 'node:fs'
import { constants } from 'node:os'
import closeWithGrace from 'close-with-grace'
import { type Config, ConfigError, loadConfig } from './config/config.ts'
import { helpText } from './config/flags.ts'
import { flushStandardStreams, standardError, standardOutput } from './observe/standard-streams.ts'
import { bannerText } from './processes/banner.ts'
import { listenWithWorkers } from './processes/primary.ts'
import type { RunningServer } from './processes/serve.ts'
import { listen } from './processes/single.ts'
import { describeFailure } from './processes/startup-error.ts'
import { work, workerConfig } from './processes/worker.ts'
import { builtPage } from './routes/page-files.ts'

async function main(argv: readonly string[]): Promise<void> {
  const [command, ...others] = argv
  if (command !== undefined && !command.startsWith('-')) {
    const { runCommand } = await import('./commands/commands.ts')
    process.exitCode = await runCommand(command, others, process.env)
    return
  }
  if (argv.includes('--help') || argv.includes('-h')) {
    const { commandsText } = await import('./commands/commands.ts')
    return write(helpText(commandsText()))
  }
  if (argv.includes('--version')) return write(`${version()}\n`)
  const config = loadConfig(argv, process.env)
  checkAssets(config)
  builtPage()
  const server = await (config.workers === 1 ? listen(config) : listenWithWorkers(config))
  end(config, server)
  write(bannerText(server.url, config, argv))
}

/**
 * Ends the server at SIGTERM, SIGINT and the like (close-with-grace): the first signal drains
 * (`processes/serve.ts`, or `drain` of `processes/worker-pool.ts`), a second one ends at once. During startup a signal ends the process.
 */
function end({ tlsCert }: Config, { close, reload }: RunningServer): void {
  const options = {
    delay: false,
    logger: false,
    onSecondSignal: (signal) => process.exit(128 + constants.signals[signal]),
    // A closing terminal sends SIGHUP too. Without a certificate to read again, SIGHUP ends the server.
    skip: tlsCert === undefined ? [] : ['SIGHUP'],
  } satisfies closeWithGrace.Options
  if (tlsCert !== undefined) process.on('SIGHUP', reload)
  closeWithGrace(options, async ({ err }) => {
    if (err !== undefined) standardError().write(`${describeFailure(err).text}\n`)
    await close()
    await flushStandardStreams()
  })
}

function checkAssets({ assets }: Config): void {
  try {
    if (statSync(assets).isDirectory()) return
  } catch (error) {
    throw new ConfigError(`--assets cannot be read: ${error instanceof Error ? error.message : error}.`)
  }
  throw new ConfigError(`--assets ${assets} is not a directory. Choose an existing one.`)
}

function write(text: string): void {
  standardOutput().write(text)
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(text) as { version: string }
  return version
}

const fromPrimary = workerConfig()
const running = fromPrimary === null ? main(process.argv.slice(2)) : work(fromPrimary)
running.catch((error: unknown) => {
  const { text, exitCode } = describeFailure(error)
  standardError().write(`${text}\n`)
  process.exitCode = exitCode
})
