import { parseArgs } from 'node:util'
import { ConfigError } from './config-values.ts'
import { FLAGS } from './flags.ts'

/**
 * Gives a flag's value as `parse` makes it.
 *
 * @throws ConfigError that names the flag or variable, its value and what `parse` says is wrong with it
 */
export type ReadFlag = <T>(name: string, parse: (text: string) => T) => T

/**
 * Reads flags and, where one is missing, its environment variable, and where that is missing too, its fallback.
 *
 * @throws ConfigError where there is no such flag, or it lacks its value
 */
export function flagReader(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ReadFlag {
  const values = parseFlags(argv)
  return (name, parse) => {
    const flag = FLAGS.find((each) => each.name === name)
    const variable = environmentName(name)
    const given = values[name]
    const text = given ?? env[variable] ?? flag?.fallback ?? ''
    const shown = flag?.secret === true ? '' : `${given === undefined ? '=' : ' '}${text}`
    const source = `${given === undefined ? variable : `--${name}`}${shown}`
    try {
      return parse(text)
    } catch (error) {
      if (error instanceof ConfigError) throw new ConfigError(`${source} ${error.message}.`)
      throw error
    }
  }
}

function parseFlags(argv: readonly string[]): Readonly<Record<string, string | undefined>> {
  const options = Object.fromEntries(
    FLAGS.map(({ name, value }) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const) },
    ]),
  )
  try {
    const { values } = parseArgs({ args: [...argv], options, strict: true, allowPositionals: false })
    return Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, value === undefined ? undefined : String(value)]),
    )
  } catch (error) {
    // Node's message names the argument, then adds advice on positional arguments that does not apply here.
    const [reason = ''] = error instanceof Error ? error.message.split(/\.?\n|\. (?=To |This )/) : []
    throw new ConfigError(`${reason.replace(/\.$/, '')}. --help lists the flags.`)
  }
}

function environmentName(flag: string): string {
  return flag === 'port' ? 'PORT' : `RANGE_SERVER_${flag.toUpperCase().replaceAll('-', '_')}`
}
