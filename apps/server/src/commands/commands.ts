import { StoreError } from 'upload-store'
import { ConfigError } from '../config/values.ts'
import { flushStandardStreams, standardOutput } from '../observe/standard-streams.ts'
import { suggest } from '../shared/suggest.ts'
import { type Command, commandConfig, readArguments } from './command.ts'
import { COPY } from './copy.ts'
import { EXPORT } from './export.ts'
import { HEALTH } from './health.ts'
import { IMPORT } from './import.ts'
import { LIST } from './list.ts'
import { openReport } from './report.ts'
import { SWEEP, VERIFY } from './upkeep.ts'

const COMMANDS: readonly Command[] = [IMPORT, EXPORT, LIST, VERIFY, SWEEP, COPY, HEALTH]

/** The lines of the program's help about its commands. */
export function commandsText(): string {
  return COMMANDS.map(
    ({ name, operands, summary }) => `  ${`${name} ${operands}`.padEnd(26)}${summary}`,
  ).join('\n')
}

/**
 * Runs the command `name`, and resolves to the exit code.
 *
 * @throws ConfigError if there is no such command, or its arguments cannot be used
 */
export async function runCommand(
  name: string,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const command = COMMANDS.find((each) => each.name === name)
  if (command === undefined) throw unknownCommand(name)
  if (argv.includes('--help') || argv.includes('-h')) {
    standardOutput().write(helpFor(command))
    return 0
  }
  const { operands, flags, rest } = readArguments(argv, command)
  const report = await openReport(flags.has('json'))
  const stop = new AbortController()
  // A second signal ends the process at once, because Node's own behaviour is restored.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  try {
    const config = commandConfig(rest, env)
    const hasServerFlags = rest.length > 0
    const { signal } = stop
    const code = await command.run({ operands, config, hasServerFlags, flags, report, signal })
    return signal.aborted ? 130 : code
  } catch (error) {
    // The disk is full, or the store cannot be reached.
    if (!(error instanceof StoreError)) throw error
    report.fault({ status: 'failed', code: error.code, reason: error.message }, error.message)
    return 1
  } finally {
    report.done()
    await flushStandardStreams()
  }
}

const STORE =
  'The store is that of --data, or of --store s3 and its flags: koa-range-server --help lists them.'

function helpFor({ name, operands, summary, flags, subject = STORE }: Command): string {
  const rows = [...flags, { name: 'json', value: undefined, help: 'print one JSON object per line' }].map(
    (flag) =>
      `  ${`--${flag.name}${flag.value === undefined ? '' : ` ${flag.value}`}`.padEnd(26)}${flag.help}`,
  )
  return `Usage: koa-range-server ${`${name} ${operands}`.trimEnd()}

${summary}.

${rows.join('\n')}

${subject}
Exit codes: 0 done, 1 faults found, 2 wrong usage, 130 stopped by SIGINT or SIGTERM.
`
}

function unknownCommand(name: string): ConfigError {
  const names = COMMANDS.map((each) => each.name)
  return new ConfigError(
    `There is no command ${JSON.stringify(name)}.${suggest(name, names)} The commands are ${names.join(', ')}; --help explains them.`,
  )
}
