import { parseArgs } from 'node:util'
import { type Config, loadConfig } from '../config/config.ts'
import { FLAGS } from '../config/flags.ts'
import { usageError } from '../config/usage-error.ts'
import type { Report } from './report.ts'

/** A flag that only commands have. */
export interface CommandFlag {
  readonly name: string
  /** What stands for its value in --help; none for a switch. */
  readonly value?: string
  readonly help: string
}

/** A task of the program besides serving. */
export interface Command {
  readonly name: string
  /** The arguments in the first line of its help, such as `PATH…`. */
  readonly operands: string
  readonly summary: string
  readonly flags: readonly CommandFlag[]
  /** The sentence of its help about what it works on (the store of --data). */
  readonly subject?: string
  /** Resolves to the exit code: 0 done, 1 faults found. */
  run(call: Call): Promise<number>
}

/** How a command was called. */
export interface Call {
  readonly operands: readonly string[]
  readonly config: Config
  /** Whether `config` has flags of the command line. */
  readonly hasServerFlags: boolean
  /** The values of the command's own flags; `true` for a switch. */
  readonly flags: ReadonlyMap<string, string | true>
  readonly report: Report
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal
}

interface Arguments {
  readonly operands: readonly string[]
  readonly flags: ReadonlyMap<string, string | true>
  /** The flags of the server. */
  readonly rest: readonly string[]
}

/** @throws ConfigError if there is no such flag, or it lacks its value */
export function readArguments(argv: readonly string[], { name, flags: own }: Command): Arguments {
  const known = [...own, { name: 'json', help: '' }]
  const options = Object.fromEntries(
    [...FLAGS, ...known].map((flag) => [
      flag.name,
      { type: flag.value === undefined ? 'boolean' : 'string' } as const,
    ]),
  )
  const [operands, rest]: [string[], string[]] = [[], []]
  const flags = new Map<string, string | true>()
  for (const token of parse([...argv], options, name)) {
    if (token.kind === 'positional') operands.push(token.value)
    else if (token.kind === 'option') {
      if (known.some((flag) => flag.name === token.name)) flags.set(token.name, token.value ?? true)
      else rest.push(token.value === undefined ? `--${token.name}` : `--${token.name}=${token.value}`)
    }
  }
  return { operands, flags, rest }
}

function parse(
  args: string[],
  options: Readonly<Record<string, { readonly type: 'boolean' | 'string' }>>,
  command: string,
) {
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: true, tokens: true }).tokens
  } catch (error) {
    throw usageError(error, Object.keys(options), `${command} --help`)
  }
}

/** The configuration of a command, which listens on no address: the rules of access do not apply. */
export function commandConfig(
  rest: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Config {
  return loadConfig([...rest, '--allow-anonymous'], env)
}
