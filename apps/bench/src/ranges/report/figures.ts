import { median } from '../../table.ts'
import type { Cell } from '../cell.ts'
import type { Contender } from '../contenders.ts'
import type { Kind } from '../kinds.ts'

export interface Measurement {
  readonly contender: Contender
  readonly kind: Kind
  readonly round: number
  readonly cell: Cell
}

/** The middle of all rounds, and their extremes. */
export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

/** One contender at one kind, by round. */
export interface Series {
  readonly contender: Contender
  readonly kind: Kind
}

export type Figure = (cell: Cell) => number

/** Answers per second. Where none came it is an upper bound. */
export const rateOf: Figure = ({ rate }) => rate

/** Seconds of the server's processor time for an answer. */
export const processorOf: Figure = ({ processor }) => processor

/** `null` when it was not measured. */
export function figureOf(
  measurements: readonly Measurement[],
  { contender, kind }: Series,
  figure: Figure,
): Spread | null {
  const own = measurements.filter((one) => one.contender === contender && one.kind === kind)
  return spreadOf(own.map(({ cell }) => figure(cell)))
}

/**
 * Of each round's two figures, which were measured one soon after the other: a host that gets slower from round to
 * round does not show in it.
 *
 * @returns `null` when one of them was not measured
 */
export function ratioOf(
  measurements: readonly Measurement[],
  top: Series,
  bottom: Series,
  figure: Figure,
): Spread | null {
  const ratios = measurements
    .filter((one) => one.contender === top.contender && one.kind === top.kind)
    .flatMap(({ round, cell }) => {
      const other = measurements.find(
        (one) => one.contender === bottom.contender && one.kind === bottom.kind && one.round === round,
      )
      return other === undefined ? [] : [figure(cell) / figure(other.cell)]
    })
  return spreadOf(ratios)
}

/** Whether a contender has answered nothing in at least half of the rounds: its rate is then a bound. */
export function isBound(measurements: readonly Measurement[], { contender, kind }: Series): boolean {
  const own = measurements.filter((one) => one.contender === contender && one.kind === kind)
  return own.filter(({ cell }) => cell.isBound).length * 2 > own.length
}

function spreadOf(values: readonly number[]): Spread | null {
  const known = values.filter((value) => !Number.isNaN(value))
  if (known.length === 0) return null
  return { median: median(known), least: Math.min(...known), most: Math.max(...known) }
}
