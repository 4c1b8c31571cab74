import { CLIENT_PROCESSOR, pinThisProcess, requirePrograms } from '../programs.ts'
import { describeHost } from '../table.ts'
import { CONTENDERS, type Contender, PLAIN } from './contenders.ts'
import { makeGround } from './ground.ts'
import { COLD, KINDS, type Kind } from './kinds.ts'
import { openMedia } from './media.ts'
import { footnotes, processorTable, rateTable, type Shown } from './report.ts'
import { probe, type RoundsPace, runRounds, startAll, warmUp } from './rounds.ts'
import { judge, verdictTable } from './targets.ts'

const DEFAULT: RoundsPace = {
  rounds: 5,
  milliseconds: 1000,
  slowMilliseconds: 3000,
  coldAnswers: 4096,
  warmUpMilliseconds: 400,
}
const QUICK: RoundsPace = {
  rounds: 3,
  milliseconds: 300,
  slowMilliseconds: 1500,
  coldAnswers: 1024,
  warmUpMilliseconds: 150,
}

const WARM_KINDS: readonly Kind[] = KINDS.filter((kind) => kind !== COLD)

/** Measures ranges of files; resolves to the report. */
export async function benchRanges(quick: boolean): Promise<string> {
  requirePrograms({ wrk: 'wrk', taskset: 'util-linux' })
  await pinThisProcess(CLIENT_PROCESSOR)
  const pace = quick ? QUICK : DEFAULT
  const ground = await makeGround()
  const site = { ground, read: openMedia(ground.files) }
  const running = await startAll(ground)
  try {
    const refusals = await probe(running, site)
    const isIn = (contender: Contender, kind: Kind) =>
      contender.kinds.includes(kind) &&
      !refusals.some((one) => one.contender === contender && one.kind === kind)
    await warmUp(running, WARM_KINDS, isIn, site, pace)
    const measurements = await runRounds(running, WARM_KINDS, isIn, site, pace)
    const shown: Shown = {
      measurements,
      refusals,
      contenders: CONTENDERS,
      kinds: WARM_KINDS,
      yardstick: PLAIN,
    }
    return [
      rateTable(shown),
      processorTable(shown),
      footnotes(refusals).text,
      verdictTable(judge(measurements)),
      describeHost(),
    ].join('\n\n')
  } finally {
    await Promise.all(running.map(({ server }) => server.stop()))
  }
}
