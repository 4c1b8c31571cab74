import { humanSize } from '../shared/human-size.ts'
import type { Call, Command } from './command.ts'
import { openOwnStore } from './open-own-store.ts'

export const VERIFY: Command = {
  name: 'verify',
  operands: '',
  summary: 'Reads every byte of the store, repairs or sets aside what is damaged, and reports it',
  flags: [],
  run: verify,
}

export const SWEEP: Command = {
  name: 'sweep',
  operands: '',
  summary: 'Removes expired uploads and files that belong to nothing, as a running server does each hour',
  flags: [],
  run: sweep,
}

async function verify({ config, report }: Call): Promise<number> {
  const store = await openOwnStore(config)
  let [count, bytes] = [0, 0]
  const verified = await store.verify({
    onProgress: (size) => {
      count++
      bytes += size
      report.progress(() => `verified ${count} videos, ${humanSize(bytes)}`)
    },
  })
  await store.close()
  report.done()
  for (const { key, reason } of verified.repaired)
    report.fault({ status: 'repaired', key, reason }, `repaired ${key}: ${reason}`)
  for (const { key, reason, files } of verified.quarantined)
    report.fault(
      { status: 'quarantined', key, reason, files },
      `damaged ${key ?? '(unknown name)'}: ${reason} Now in ${files.join(', ')}.`,
    )
  for (const entry of verified.foreign)
    report.fault({ status: 'foreign', entry }, `foreign ${entry}: it is not a file of the store.`)
  const { intact, repaired, quarantined, foreign, inQuarantine } = verified
  const faults = repaired.length + quarantined.length + foreign.length
  report.result(
    { status: 'verified', intact, bytes: verified.bytes, faults },
    `${intact} intact, ${repaired.length} repaired, ${quarantined.length} damaged, ${foreign.length} foreign (${humanSize(verified.bytes)} read)`,
  )
  if (inQuarantine > 0)
    report.fault(
      { status: 'in-quarantine', files: inQuarantine },
      `quarantine/ has ${inQuarantine} files. Restore these videos from a backup, and delete the files.`,
    )
  return faults === 0 ? 0 : 1
}

async function sweep({ config, report }: Call): Promise<number> {
  const store = await openOwnStore(config)
  const swept = await store.sweep()
  await store.close()
  const { expired, discarded, blobs, bytes, digests, paused, busy, damaged } = swept
  report.result(
    { status: 'swept', ...swept },
    `removed ${expired} expired uploads, ${discarded} abandoned ones, ${blobs} files without a name (${humanSize(bytes)}) and ${digests} links; kept ${paused} unfinished uploads and ${busy} in progress`,
  )
  if (damaged === 0) return 0
  report.fault({ status: 'damaged', damaged }, `${damaged} records cannot be read. Run verify.`)
  return 1
}
