import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { UnfitMachineError } from './programs.ts'
import { benchRanges } from './ranges/ranges.ts'
import { benchRequests } from './requests/requests.ts'
import { benchS3 } from './s3/s3.ts'
import { benchUploads } from './uploads/uploads.ts'

const BAD_USAGE = 2

const HELP = `Usage: npm run bench [-- ranges | uploads | requests | s3] [--quick]

Puts this repository's packages and other servers side by side on this machine, checks every answer, and prints
Markdown. Progress goes to standard error: npm run -s bench > table.md

  ranges   (the default) ranges of a 1 GiB file, whole files, 304, HEAD, many slow readers: about 25 minutes; writes
           docs/bench.md and docs/bench.svg. Needs Linux, two processors, taskset and wrk, and 2.6 GiB free in the
           temporary directory (TMPDIR), which should be on a disk; with nginx installed, that is compared, too
  uploads  multipart uploads: one of 1 GiB, many of 1 MiB 16 at once, and the memory that 50 of 200 MiB at once take;
           needs Linux, and 12 GiB free in the temporary directory, which should be on a disk
  requests uploads of 100 kB and 1 MiB by form, PUT, resumable upload and tus, and appends, beside multer and @tus/server;
           lists of 10,000 and 100,000 objects: 10 minutes; writes docs/bench-requests.md. Needs Linux, and 12 GiB free in
           the temporary directory, which should be on a disk
  s3       ranges and an upload through us and without us on Ceph, which has to be installed: 5 minutes, 8 GiB of memory
  --quick  3 short rounds instead of 5, under 2 minutes, and smaller uploads: less steady. Prints, and writes nothing
  --help   this text
`

const DOCS = new URL('../../../docs/', import.meta.url)

const BENCHES: Readonly<Record<string, (quick: boolean) => Promise<string>>> = {
  ranges,
  uploads: benchUploads,
  requests,
  s3: benchS3,
}

async function ranges(quick: boolean): Promise<string> {
  const { markdown, chart } = await benchRanges(quick)
  if (!quick) {
    const top =
      '# Bench\n\nWritten by `npm run bench`. [bench-requests.md](bench-requests.md) has uploads and lists.\n\n![Requests per second of random ranges](bench.svg)\n'
    writeFileSync(new URL('bench.md', DOCS), `${top}\n${markdown}`)
    writeFileSync(new URL('bench.svg', DOCS), chart)
  }
  return markdown
}

async function requests(quick: boolean): Promise<string> {
  const markdown = await benchRequests(quick)
  if (!quick) {
    const top = '# Bench of uploads and lists\n\nWritten by `npm run bench -- requests`.\n'
    writeFileSync(new URL('bench-requests.md', DOCS), `${top}\n${markdown}`)
  }
  return markdown
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

let isDone = false
// Should a promise never settle, Node ends as if all were well.
process.once('beforeExit', () => {
  if (isDone) return
  console.error('The bench has ended before it was done.')
  process.exitCode = 1
})

main(process.argv.slice(2))
  .catch((error: unknown) => {
    const misused =
      error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
    console.error(misused || error instanceof UnfitMachineError ? error.message : error)
    process.exitCode = misused ? BAD_USAGE : 1
  })
  .finally(() => {
    isDone = true
  })
