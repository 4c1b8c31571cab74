import { formatRatio, markdownTable } from '../table.ts'
import { BARE_KOA, type Contender, FASTIFY, KOA_RANGE, NGINX, PLAIN, SIRV, STORED } from './contenders.ts'
import {
  type Figure,
  type Measurement,
  processorOf,
  rateOf,
  ratioOf,
  type Series,
  type Spread,
} from './figures.ts'
import { FAR, type Kind, LARGE, MIDDLE, NEAR, NOT_MODIFIED, SMALL, WHOLE } from './kinds.ts'

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
    text: `${kind.name}: requests/s of ${plainName(top)} to those of ${plainName(bottom)}`,
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
    text: `${kind.name}: CPU per request of ${plainName(top)} to that of ${plainName(bottom)}`,
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
  rate(MIDDLE, PLAIN, SIRV, 1.8),
  rate(MIDDLE, PLAIN, NGINX, 0.45),
  processor(MIDDLE, PLAIN, SIRV, 0.6),
  rate(SMALL, PLAIN, BARE_KOA, 0.5),
  rate(LARGE, PLAIN, NGINX, 0.9),
  rate(WHOLE, PLAIN, NGINX, 0.9),
  rate(SMALL, STORED, PLAIN, 0.9),
  rate(MIDDLE, STORED, PLAIN, 0.9),
  rate(LARGE, STORED, PLAIN, 0.9),
  rate(NOT_MODIFIED, PLAIN, BARE_KOA, 0.6),
  processor(LARGE, PLAIN, NGINX, 1.5),
  rate(MIDDLE, PLAIN, FASTIFY, 3),
  rate(MIDDLE, PLAIN, KOA_RANGE, 1000),
  FAR_TO_NEAR,
]

/** Compares what was measured with what was promised. */
export function judge(measurements: readonly Measurement[]): readonly Verdict[] {
  return TARGETS.map((target) => {
    const ratio = ratioOf(measurements, target.top, target.bottom, target.figure)
    return {
      text: target.text,
      wanted: formatWanted(target),
      measured: ratio === null ? 'not measured' : formatSpread(ratio),
      met: ratio === null ? null : ratio.median >= target.least && ratio.median <= target.most,
    }
  })
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

function plainName({ name }: Contender): string {
  return name.replaceAll('*', '')
}
