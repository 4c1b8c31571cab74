import { parseArgs } from 'node:util'
import { suggest } from '../shared/suggest.ts'
import { FLAGS, type Flag } from './flags.ts'
import { usageError } from './usage-error.ts'
import { ConfigError } from './values.ts'

/**
 * Gives a flag's value as `parse` makes it.
 *
 * @throws ConfigError that names the flag or variable, its value and what `parse` says is wrong with it
 */
export type ReadFlag = <T>(name: string, parse: (text: string) => T) => T

/**
 * Reads flags and, where one is missing, its environment variable, and where that is missing too, its fallback.
 *
 * @throws ConfigError where there is no such flag or variable, or a flag lacks its value
 */
export function flagReader(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ReadFlag {
  const values = parseFlags(argv)
  checkVariables(env)
  return (name, parse) => {
    const { fallback, secret } = flagNamed(name)
    const { source, text = fallback } = find(name)
    try {
      return parse(text)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      const shown = secret === true ? '' : `${source.startsWith('--') ? ' ' : '='}${text}`
      throw new ConfigError(`${source}${shown} ${error.message}.`)
    }
  }

  /** Returns the value that was given for a flag, and the flag or variable that gave it. */
  function find(name: string): { readonly source: string; readonly text: string | undefined } {
    if (values[name] !== undefined) return { source: `--${name}`, text: values[name] }
    const variable = environmentName(name)
    return { source: variable, text: env[variable] }
  }
}

function flagNamed(name: string): Flag {
  const flag = FLAGS.find((each) => each.name === name)
  if (flag === undefined) throw new Error(`FLAGS has no ${name}.`)
  return flag
}

function parseFlags(argv: readonly string[]): Readonly<Record<string, string | undefined>> {
  const options = Object.fromEntries(
    FLAGS.map(({ name, value }) => [name, { type: value === undefined ? 'boolean' : 'string' } as const]),
  )
  try {
    const { values } = parseArgs({ args: [...argv], options, strict: true, allowPositionals: false })
    return Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, value === undefined ? undefined : String(value)]),
    )
  } catch (error) {
    const names = FLAGS.map(({ name }) => name)
    throw usageError(error, names, '--help')
  }
}

/** What Kubernetes sets for a service of the name `range-server`, and what a worker gets from its primary. */
const OF_OTHERS = /^RANGE_SERVER_(?:SERVICE_|PORT|WORKER_CONFIG$)/

/** A mistyped limit in a unit or a container would otherwise be no limit, and nothing would show it. */
function checkVariables(env: Readonly<Record<string, string | undefined>>): void {
  const known = FLAGS.map(({ name }) => environmentName(name))
  for (const name of Object.keys(env)) {
    if (!name.startsWith('RANGE_SERVER_') || known.includes(name) || OF_OTHERS.test(name)) continue
    throw new ConfigError(`There is no variable ${name}.${suggest(name, known)} --help lists the flags.`)
  }
}

function environmentName(flag: string): string {
  return flag === 'port' ? 'PORT' : `RANGE_SERVER_${flag.toUpperCase().replaceAll('-', '_')}`
}
