import { parseArgs } from 'node:util'

const HELP = `Usage: npm run soak [-- flags]

Starts a server and has clients upload, read, leave and delete, all at once. Exits with 1 where it answers 500 or more,
holds more memory at the end than after warm-up, or leaves descriptors open.

  --minutes N   how long (10)
  --clients N   how many at a time (200)
  --help        this text
`

const BAD_USAGE = 2

export interface Flags {
  readonly minutes: number
  readonly clients: number
}

/** Reads the flags; ends the process after --help, and with 2 where one cannot be right. */
export function readFlags(args: readonly string[]): Flags {
  try {
    const options = {
      minutes: { type: 'string', default: '10' },
      clients: { type: 'string', default: '200' },
      help: { type: 'boolean', default: false },
    } as const
    const { values } = parseArgs({ args: [...args], options })
    if (values.help) {
      process.stdout.write(HELP)
      process.exit()
    }
    return { minutes: positive('minutes', values.minutes), clients: positive('clients', values.clients) }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exit(BAD_USAGE)
  }
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new RangeError(`--${name} ${text} is no number above 0.`)
  return value
}
