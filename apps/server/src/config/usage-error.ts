import { suggest } from '../shared/suggest.ts'
import { ConfigError } from './values.ts'

/**
 * Returns an error in one line for what `parseArgs` of Node refuses.
 *
 * @param flags the names of the known flags, without `--`
 * @param help the command that lists them
 */
export function usageError(error: unknown, flags: readonly string[], help: string): ConfigError {
  // Node's message names the argument, then adds advice on positional arguments that does not apply here.
  const [reason = ''] = error instanceof Error ? error.message.split(/\.?\n|\. (?=To |This )/) : []
  const [, unknown] = /^Unknown option '(--[^']+)'/.exec(reason) ?? []
  const names = flags.map((name) => `--${name}`)
  const hint = unknown === undefined ? '' : suggest(unknown, names)
  return new ConfigError(`${reason.replace(/\.$/, '')}.${hint} ${help} lists the flags.`)
}
