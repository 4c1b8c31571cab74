#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { loadConfig } from './config/config.ts'
import { helpText } from './config/flags.ts'
import { standardError, standardOutput } from './observe/standard-streams.ts'
import { workerConfig } from './processes/messages.ts'
import { describeFailure } from './processes/startup-error.ts'

// The server and the commands are imported when they are needed, because a command must not wait for what only the server uses.
async function main(argv: readonly string[]): Promise<void> {
  const [command, ...others] = argv
  if (command !== undefined && !command.startsWith('-')) {
    const { runCommand } = await import('./commands/commands.ts')
    process.exitCode = await runCommand(command, others, process.env)
  } else if (argv.includes('--help') || argv.includes('-h')) {
    const { commandsText } = await import('./commands/commands.ts')
    standardOutput().write(helpText(commandsText()))
  } else if (argv.includes('--version')) standardOutput().write(`${version()}\n`)
  else {
    const config = loadConfig(argv, process.env)
    const { start } = await import('./processes/start.ts')
    await start(config, argv)
  }
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(text) as { version: string }
  return version
}

async function run(): Promise<void> {
  const fromPrimary = workerConfig()
  if (fromPrimary === null) return main(process.argv.slice(2))
  const { work } = await import('./processes/worker.ts')
  return work(fromPrimary)
}

run().catch((error: unknown) => {
  const { text, exitCode } = describeFailure(error)
  standardError().write(`${text}\n`)
  process.exitCode = exitCode
})
