import { parseArgs } from 'node:util'
import { benchRanges } from './ranges/ranges.ts'
import { benchUploads } from './uploads/uploads.ts'

const BAD_USAGE = 2

const HELP = `Usage: npm run bench [-- ranges | uploads] [--quick]

Puts this repository's packages and other servers side by side on this machine, checks every answer, and prints a
Markdown table. Progress goes to standard error: npm run -s bench > table.md

  ranges   requests per second of random ranges of one 256 MiB file (the default)
  uploads  multipart uploads: one of 1 GiB, many of 1 MiB 16 at once, and the memory that 50 of 200 MiB at once take;
           needs Linux, and 12 GiB free in the temporary directory (TMPDIR), which should be on a disk
  --quick  3 short rounds instead of 5, and smaller uploads: less steady
  --help   this text
`

const BENCHES: Readonly<Record<string, (quick: boolean) => Promise<string>>> = {
  ranges: benchRanges,
  uploads: benchUploads,
}

async function main(args: readonly string[]): Promise<void> {
  const { help, quick, name } = readArguments(args)
  const bench = BENCHES[name]
  if (help) process.stdout.write(HELP)
  else if (bench !== undefined) process.stdout.write(await bench(quick))
  else {
    console.error(`There is no bench ${JSON.stringify(name)}: ${Object.keys(BENCHES).join(' or ')}.`)
    process.exitCode = BAD_USAGE
  }
}

interface Arguments {
  readonly help: boolean
  readonly quick: boolean
  readonly name: string
}

function readArguments(args: readonly string[]): Arguments {
  const options = {
    help: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  } as const
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
  return { ...values, name: positionals.length === 0 ? 'ranges' : positionals.join(' ') }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const misused =
    error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
  console.error(misused ? error.message : error)
  process.exitCode = misused ? BAD_USAGE : 1
})
