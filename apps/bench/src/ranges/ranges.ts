import { join } from 'node:path'
import { CLIENT_PROCESSOR, findProgram, pinThisProcess, requirePrograms } from '../programs.ts'
import { progress } from '../progress.ts'
import type { Running } from './cell.ts'
import { NGINX } from './contenders.ts'
import { type Crowd, measureCrowd } from './crowd.ts'
import { makeGround } from './files/ground.ts'
import { FILM, openMedia } from './files/media.ts'
import { canBeDropped } from './files/page-cache.ts'
import { COLD, KINDS, type Kind } from './kinds.ts'
import { DEFAULT, type Pace, QUICK } from './pace.ts'
import { probe } from './probe.ts'
import { rangesChart } from './report/ranges-chart.ts'
import { type Run, report } from './report/report.ts'
import { runRounds } from './rounds.ts'
import { type RoundsOf, schedule } from './schedule.ts'
import { type Site, startAll, visit } from './visit.ts'

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
    const roundsOf: RoundsOf = (contender, kind) => {
      const isRefused = refusals.some((one) => one.contender === contender && one.kind === kind)
      return isRefused || !contender.kinds.includes(kind) ? 0 : pace.roundsOf(contender, kind)
    }
    await warmUp(running, roundsOf, site, pace)
    const contenders = running.map(({ contender }) => contender)
    const measure = (kinds: readonly Kind[]) =>
      runRounds(running, schedule(contenders, kinds, roundsOf), site, pace)
    const warm = await measure(KINDS.filter((kind) => kind !== COLD))
    // Afterwards, as it leaves most of the file out of the page cache.
    const cold = await measure(await coldKinds(site))
    return {
      measurements: [...warm.measurements, ...cold.measurements],
      loads: [...warm.loads, ...cold.loads],
      refusals,
      rounds: pace.rounds,
      seconds: pace.milliseconds / 1000,
      date: new Date().toISOString().slice(0, 10),
      omitted: pace.omitted,
    }
  } finally {
    await Promise.all(running.map(({ server }) => server.stop()))
  }
}

async function warmUp(
  running: readonly Running[],
  roundsOf: RoundsOf,
  site: Site,
  pace: Pace,
): Promise<void> {
  for (const one of running) {
    const { contender } = one
    progress(`warms up ${contender.name}`)
    const kinds = KINDS.filter((kind) => roundsOf(contender, kind) > 0 && pace.warmsUp(contender, kind))
    const milliseconds = pace.warmUpMilliseconds(contender) / kinds.length
    for (const kind of kinds) await visit(one, kind, site, { ...pace, milliseconds })
  }
}

async function coldKinds({ ground }: Site): Promise<readonly Kind[]> {
  if (await canBeDropped(join(ground.files, FILM.name), FILM.size)) return [COLD]
  progress(
    'the page cache cannot be emptied here: set TMPDIR to a directory on a disk for ranges that are cold',
  )
  return []
}

async function measureCrowds(site: Site, pace: Pace): Promise<readonly Crowd[]> {
  const crowds: Crowd[] = []
  for (const contender of pace.crowded) {
    if (contender === NGINX && findProgram('nginx') === null) continue
    crowds.push(await measureCrowd(contender, site, pace))
  }
  return crowds
}
