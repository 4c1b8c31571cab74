import { formatRate, formatRatio, markdownTable } from '../../table.ts'
import type { SlowReport } from '../clients/slow-readers.ts'
import { ASSETS, BARE_KOA, type Contender, NGINX, PLAIN, SERVER, SIRV } from '../contenders.ts'
import type { Crowd } from '../crowd.ts'
import { MEBIBYTE } from '../files/media.ts'
import { FAR, KINDS, type Kind, LARGE, MIDDLE, NEAR, NOT_MODIFIED, SMALL, WHOLE } from '../kinds.ts'
import {
  type Figure,
  type Measurement,
  processorOf,
  rateOf,
  ratioOf,
  type Series,
  type Spread,
} from './figures.ts'

/** A ratio that was promised. */
interface Target {
  readonly text: string
  readonly top: Series
  readonly bottom: Series
  readonly figure: Figure
  readonly least: number
  readonly most: number
}

/** One line of the check list. */
export interface Verdict {
  readonly text: string
  readonly wanted: string
  readonly measured: string
  /** `null` when it was not measured. */
  readonly met: boolean | null
}

function rate(kind: Kind, top: Contender, bottom: Contender, least: number): Target {
  return {
    text: `${kind.name}: requests/s of ${top.name} to those of ${bottom.name}`,
    top: { contender: top, kind },
    bottom: { contender: bottom, kind },
    figure: rateOf,
    least,
    most: Number.POSITIVE_INFINITY,
  }
}

function processor(kind: Kind, top: Contender, bottom: Contender, most: number): Target {
  return {
    ...rate(kind, top, bottom, Number.NEGATIVE_INFINITY),
    text: `${kind.name}: CPU per request of ${top.name} to that of ${bottom.name}`,
    figure: processorOf,
    most,
  }
}

const FAR_TO_NEAR: Target = {
  text: 'CPU per 64 KiB range of a sparse file: at offset 1 TiB to at offset 0',
  top: { contender: PLAIN, kind: FAR },
  bottom: { contender: PLAIN, kind: NEAR },
  figure: processorOf,
  least: 0.9,
  most: 1.1,
}

const TARGETS: readonly Target[] = [
  processor(SMALL, SERVER, BARE_KOA, 3),
  processor(SMALL, ASSETS, BARE_KOA, 4.5),
  processor(NOT_MODIFIED, SERVER, BARE_KOA, 2.5),
  processor(MIDDLE, SERVER, SIRV, 0.65),
  rate(MIDDLE, SERVER, NGINX, 0.45),
  processor(LARGE, SERVER, NGINX, 1.7),
  processor(WHOLE, SERVER, NGINX, 1.6),
  processor(SMALL, PLAIN, BARE_KOA, 2.2),
  FAR_TO_NEAR,
]

/** Whether a target is about a contender at a kind. */
export function isTargeted(contender: Contender, kind: Kind): boolean {
  return TARGETS.some(({ top, bottom }) =>
    [top, bottom].some((one) => one.contender === contender && one.kind === kind),
  )
}

/** Whether a target is about a contender. */
export function hasTarget(contender: Contender): boolean {
  return KINDS.some((kind) => isTargeted(contender, kind))
}

/** Compares what was measured with what was promised. */
export function judge(measurements: readonly Measurement[], crowds: readonly Crowd[]): readonly Verdict[] {
  const crowd = crowds.find(({ contender }) => contender === SERVER) ?? null
  return [...TARGETS.map((target) => judgeRatio(measurements, target)), ...judgeCrowd(crowd)]
}

function judgeRatio(measurements: readonly Measurement[], target: Target): Verdict {
  const ratio = ratioOf(measurements, target.top, target.bottom, target.figure)
  return {
    text: target.text,
    wanted: formatWanted(target),
    measured: ratio === null ? 'not measured' : formatSpread(ratio),
    met: ratio === null ? null : ratio.median >= target.least && ratio.median <= target.most,
  }
}

const MOST_MEMORY = 130 * MEBIBYTE
const LEAST_SPEED_KEPT = 0.8
const MOST_LATE = 0.01

function judgeCrowd(crowd: Crowd | null): readonly Verdict[] {
  const verdict = (
    text: string,
    wanted: string,
    measured: (of: Crowd) => string,
    met: (of: Crowd) => boolean,
  ) => ({
    text: `${SERVER.name}, slow readers of 64 KiB/s: ${text}`,
    wanted,
    measured: crowd === null ? 'not measured' : measured(crowd),
    met: crowd === null ? null : met(crowd),
  })
  return [
    verdict(
      'memory of the server at its peak',
      `≤ ${MOST_MEMORY / MEBIBYTE} MiB`,
      ({ memory, readers }) => `${Math.ceil(memory / MEBIBYTE)} MiB, ${formatRate(readers)} readers`,
      ({ memory }) => memory <= MOST_MEMORY,
    ),
    verdict(
      'every byte is right, and comes in time',
      'all',
      ({ report }) =>
        report.fault ?? `all of ${formatRate(report.received / MEBIBYTE)} MiB, ${formatLate(report)}`,
      ({ report }) => report.fault === null && report.late <= MOST_LATE,
    ),
    verdict(
      "a fast reader's speed beside them, to that alone",
      `≥ ${LEAST_SPEED_KEPT}`,
      ({ alone, beside }) => formatRatio(beside / alone),
      ({ alone, beside }) => beside / alone >= LEAST_SPEED_KEPT,
    ),
  ]
}

export function verdictTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ text, wanted, measured, met }) => [
    text,
    wanted,
    measured,
    met === null ? '–' : met ? 'yes' : '**no**',
  ])
  return markdownTable(['target', 'wanted', 'measured (least–most)', 'met'], rows)
}

function formatLate({ late }: SlowReport): string {
  return `${(late * 100).toFixed(1)} % a second late`
}

function formatWanted({ least, most }: Target): string {
  if (most === Number.POSITIVE_INFINITY) return `≥ ${formatRatio(least)}`
  return least <= 0 ? `≤ ${formatRatio(most)}` : `${formatRatio(least)}–${formatRatio(most)}`
}

function formatSpread({ median, least, most }: Spread): string {
  // More digits than elsewhere: a target must not look met because of rounding.
  const [middle, low, high] = [median, least, most].map((value) =>
    Number(value.toPrecision(3)).toLocaleString('en'),
  )
  return `${middle} (${low}–${high})`
}
