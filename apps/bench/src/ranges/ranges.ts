import { join } from 'node:path'
import { machineLoad } from '../machine-load.ts'
import { CLIENT_PROCESSOR, findProgram, pinThisProcess, requirePrograms } from '../programs.ts'
import { progress } from '../progress.ts'
import { NGINX } from './contenders.ts'
import { type Crowd, measureCrowd } from './crowd.ts'
import { makeGround } from './ground.ts'
import { COLD, KINDS, type Kind } from './kinds.ts'
import { FILM, openMedia } from './media.ts'
import { DEFAULT, type Pace, QUICK, roundsOf } from './pace.ts'
import { canBeDropped } from './page-cache.ts'
import { probe } from './probe.ts'
import { rangesChart } from './ranges-chart.ts'
import { type Run, report } from './report.ts'
import { runRounds, type TakesPart, warmUp } from './rounds.ts'
import { type Site, startAll } from './visit.ts'

export interface RangesReport {
  readonly markdown: string
  readonly chart: string
}

/** Measures ranges of files; resolves to the report. */
export async function benchRanges(quick: boolean): Promise<RangesReport> {
  requirePrograms({ wrk: 'wrk', taskset: 'util-linux' })
  await pinThisProcess(CLIENT_PROCESSOR)
  const pace = quick ? QUICK : DEFAULT
  const ground = await makeGround()
  const site = { ground, read: openMedia(ground.files) }
  const figures = await measureAll(site, pace)
  const run = { ...figures, crowds: await measureCrowds(site, pace) }
  return { markdown: report(run), chart: rangesChart(run.measurements, run.rounds) }
}

type Figures = Omit<Run, 'crowds'>

async function measureAll(site: Site, pace: Pace): Promise<Figures> {
  const running = await startAll(site.ground)
  try {
    const refusals = await probe(running, site)
    const takesPart: TakesPart = (contender, kind, round) =>
      contender.kinds.includes(kind) &&
      round < roundsOf(pace, contender, kind) &&
      !refusals.some((one) => one.contender === contender && one.kind === kind)
    await warmUp(running, pace.warmUpKinds, takesPart, site, pace)
    const loads = [await machineLoad(LOAD_MILLISECONDS)]
    const warm = await runRounds(running, WARM_KINDS, takesPart, site, pace)
    loads.push(await machineLoad(LOAD_MILLISECONDS))
    // Afterwards, as it leaves most of the file out of the page cache.
    const cold = await runRounds(running, await coldKinds(site), takesPart, site, pace)
    const measurements = [...warm, ...cold]
    const { rounds, milliseconds, omitted } = pace
    return { measurements, refusals, rounds, seconds: milliseconds / 1000, loads, omitted }
  } finally {
    await Promise.all(running.map(({ server }) => server.stop()))
  }
}

async function coldKinds({ ground }: Site): Promise<readonly Kind[]> {
  if (await canBeDropped(join(ground.files, FILM.name), FILM.size)) return [COLD]
  progress(
    'the page cache cannot be emptied here: set TMPDIR to a directory on a disk for ranges that are cold',
  )
  return []
}

const WARM_KINDS: readonly Kind[] = KINDS.filter((kind) => kind !== COLD)
const LOAD_MILLISECONDS = 500

async function measureCrowds(site: Site, pace: Pace): Promise<readonly Crowd[]> {
  const crowds: Crowd[] = []
  for (const contender of pace.crowded) {
    if (contender === NGINX && findProgram('nginx') === null) continue
    crowds.push(await measureCrowd(contender, site, pace))
  }
  return crowds
}
