import { describe, expect, it } from 'vitest'
import { NGINX, PLAIN, SIRV } from '../src/ranges/contenders.ts'
import { MIDDLE, SMALL } from '../src/ranges/kinds.ts'
import {
  figureOf,
  isBound,
  type Measurement,
  processorOf,
  rateOf,
  ratioOf,
} from '../src/ranges/report/figures.ts'
import { median } from '../src/table.ts'
import { measured } from './measurements.ts'

const measurements: readonly Measurement[] = [
  ...measured(PLAIN, MIDDLE, [100, 50], [200, 40], [50, 60]),
  ...measured(SIRV, MIDDLE, [50, 100], [80, 90], [25, 110]),
  ...measured(PLAIN, SMALL, [999, 1]),
]

describe('median', () => {
  it('is the middle one, whatever the order', () => {
    expect(median([5, 1, 3])).toBe(3)
  })

  it('is NaN for no values', () => {
    expect(median([])).toBeNaN()
  })
})

describe('figureOf', () => {
  it('takes the middle of the rounds of one contender at one kind', () => {
    const rates = figureOf(measurements, { contender: PLAIN, kind: MIDDLE }, rateOf)
    expect(rates).toEqual({ median: 100, least: 50, most: 200 })
  })

  it('is null for what was not measured', () => {
    expect(figureOf(measurements, { contender: NGINX, kind: MIDDLE }, rateOf)).toBeNull()
  })
})

describe('ratioOf', () => {
  it('compares within each round, so that a host that slows down does not show', () => {
    const ratio = ratioOf(
      measurements,
      { contender: PLAIN, kind: MIDDLE },
      { contender: SIRV, kind: MIDDLE },
      rateOf,
    )
    expect(ratio).toEqual({ median: 2, least: 2, most: 2.5 })
  })

  it('compares processor time likewise', () => {
    const ratio = ratioOf(
      measurements,
      { contender: PLAIN, kind: MIDDLE },
      { contender: SIRV, kind: MIDDLE },
      processorOf,
    )
    expect(ratio?.median).toBeCloseTo(0.5)
  })

  it('leaves out rounds in which only one of them was', () => {
    const shorter = measurements.filter((one) => one.contender !== SIRV || one.round === 1)
    const ratio = ratioOf(
      shorter,
      { contender: PLAIN, kind: MIDDLE },
      { contender: SIRV, kind: MIDDLE },
      rateOf,
    )
    expect(ratio).toEqual({ median: 2.5, least: 2.5, most: 2.5 })
  })

  it('is null when one of them was not measured', () => {
    const ratio = ratioOf(
      measurements,
      { contender: PLAIN, kind: MIDDLE },
      { contender: NGINX, kind: MIDDLE },
      rateOf,
    )
    expect(ratio).toBeNull()
  })
})

describe('isBound', () => {
  it('holds when most rounds had no answer', () => {
    const [first, ...others] = measurements
    const none = others.map((one) => ({ ...one, cell: { ...one.cell, isBound: true } }))
    const mixed = first === undefined ? none : [first, ...none]
    expect(isBound(mixed, { contender: PLAIN, kind: MIDDLE })).toBe(true)
    expect(isBound(measurements, { contender: PLAIN, kind: MIDDLE })).toBe(false)
  })
})
