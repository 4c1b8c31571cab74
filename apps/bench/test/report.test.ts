import { describe, expect, it } from 'vitest'
import {
  ASSETS,
  BARE_HTTP,
  BARE_KOA,
  KOA_RANGE,
  NGINX,
  PLAIN,
  SERVER,
  SIRV,
} from '../src/ranges/contenders.ts'
import type { Crowd } from '../src/ranges/crowd.ts'
import { FAR, LARGE, MIDDLE, NEAR, NOT_MODIFIED, SMALL, WHOLE } from '../src/ranges/kinds.ts'
import type { Measurement } from '../src/ranges/report/figures.ts'
import { type Run, report } from '../src/ranges/report/report.ts'
import { judge } from '../src/ranges/report/targets.ts'
import { measured } from './measurements.ts'

/** Everything exactly as promised. */
const asPromised: readonly Measurement[] = [
  ...measured(SERVER, SMALL, [1000, 90]),
  ...measured(ASSETS, SMALL, [700, 135]),
  ...measured(PLAIN, SMALL, [1500, 66]),
  ...measured(BARE_KOA, SMALL, [3000, 30]),
  ...measured(BARE_HTTP, SMALL, [3500, 20]),
  ...measured(SERVER, MIDDLE, [1800, 65]),
  ...measured(SIRV, MIDDLE, [1000, 100]),
  ...measured(NGINX, MIDDLE, [4000, 20]),
  ...measured(KOA_RANGE, MIDDLE, [1.8, 500_000]),
  ...measured(SERVER, LARGE, [900, 170]),
  ...measured(NGINX, LARGE, [1000, 100]),
  ...measured(SERVER, WHOLE, [9, 8000]),
  ...measured(NGINX, WHOLE, [10, 5000]),
  ...measured(SERVER, NOT_MODIFIED, [600, 50]),
  ...measured(BARE_KOA, NOT_MODIFIED, [1000, 20]),
  ...measured(PLAIN, NEAR, [1000, 100]),
  ...measured(PLAIN, FAR, [1000, 110]),
]

const crowd: Crowd = {
  contender: SERVER,
  readers: 1000,
  memory: 130 * 2 ** 20,
  report: { received: 2 ** 30, late: 0, fault: null },
  alone: 100,
  beside: 80,
  processor: 93e-6,
}

const run: Run = {
  measurements: asPromised,
  refusals: [{ contender: SIRV, kind: NOT_MODIFIED, reason: '200' }],
  crowds: [crowd],
  rounds: 1,
  seconds: 1,
  loads: [0, 0.02],
  date: '2026-12-01',
  omitted: '',
}

describe('judge', () => {
  it('finds every target met when everything is exactly as promised', () => {
    expect(judge(asPromised, [crowd]).filter(({ met }) => met !== true)).toEqual([])
  })

  it.each([
    ['a rate', SERVER, MIDDLE, 0.99, 1, 1],
    ['processor time', SERVER, LARGE, 1, 1.01, 1],
    ['processor time far into a file', PLAIN, FAR, 1, 1.01, 1],
  ] as const)('finds %s missed by one per cent', (_, contender, kind, rate, processor, missed) => {
    const worse = asPromised.map((one) => {
      if (one.contender !== contender || one.kind !== kind) return one
      const { cell } = one
      return { ...one, cell: { ...cell, rate: cell.rate * rate, processor: cell.processor * processor } }
    })
    expect(judge(worse, [crowd]).filter(({ met }) => met === false).length).toBeGreaterThanOrEqual(missed)
  })

  it.each([
    ['memory', { memory: 131 * 2 ** 20 }],
    ['a wrong byte', { report: { ...crowd.report, fault: 'wrong bytes' } }],
    ['readers that wait', { report: { ...crowd.report, late: 0.02 } }],
    ['a fast reader that is slowed down', { beside: 79 }],
  ])('finds a target missed for %s', (_, change) => {
    const missed = judge(asPromised, [{ ...crowd, ...change }]).filter(({ met }) => met === false)
    expect(missed).toHaveLength(1)
  })

  it('calls nothing met that was not measured', () => {
    expect(judge([], []).every(({ met, measured: text }) => met === null && text === 'not measured')).toBe(
      true,
    )
  })
})

describe('report', () => {
  const text = report(run)

  it('shows figures, and the ratio to ours in parentheses', () => {
    expect(text).toContain('| sirv 3 | – | 1,000 (0.56) |')
    expect(text).toContain('| **koa-range-server, --log-level error** | 1,000 | 1,800 |')
  })

  it('shows processor time in microseconds', () => {
    expect(text).toContain('| nginx, sendfile | – | 20 (0.31) |')
  })

  it('shows the composed server first, and bare node:http last', () => {
    const [, rows = ''] = text.split('| CPU, µs ')
    const names = rows.split('\n\n')[0]?.match(/^\| (?!---).*?(?= \|)/gm) ?? []
    expect([names.at(1), names.at(-1)]).toEqual([
      '| **koa-range-server, --log-level error**',
      '| bare node:http, one byte',
    ])
  })

  it('shows each target beside what was measured', () => {
    expect(text).toContain('to that of bare Koa, one byte | ≤ 3 | 3 (3–3) | yes |')
  })

  it('names the day and the machine of the run', () => {
    expect(text).toMatch(/^2026-12-01, Node v\d.*, linux .* × .+, \d+ GiB of memory, kernel \d/m)
  })

  it('explains in a footnote which answer kept a server from being measured', () => {
    expect(text).toMatch(/\| sirv 3 \|.*– \[1\] \|/)
    expect(text).toContain('[1] It answered 200.')
  })

  it('leaves out kinds and contenders that were not measured at all', () => {
    expect(text).not.toContain('cold |')
    expect(text).not.toContain('hono')
  })

  it('warns when the machine was busy with something else', () => {
    expect(text).not.toContain('too many')
    expect(report({ ...run, loads: [0, 0.5] })).toContain(
      '50 % of the processors between the rounds: **too many',
    )
  })

  it('marks a rate that is only known to lie below a bound', () => {
    const bound = asPromised.map((one) =>
      one.contender === KOA_RANGE ? { ...one, cell: { ...one.cell, isBound: true } } : one,
    )
    expect(report({ ...run, measurements: bound })).toContain('| koa-static + koa-range | – | < 1.8')
  })
})
