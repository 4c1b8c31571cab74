import { isMultipart, type Multipart, parseMultipart } from './byteranges.ts'
import type { Demands, Exchange, FieldRule, Outcome } from './case.ts'
import type { FileContent } from './fixtures.ts'
import { checkResponse } from './invariants.ts'
import { parseImfFixdate } from './placeholders.ts'
import { field, type Response } from './response.ts'
import { Violation } from './violation.ts'

type Span = readonly [first: number, last: number]

/** What is known of the file that an exchange asks for. */
export interface Known {
  /** `null`: it is none of ours, or gone. */
  readonly file: FileContent | null
  /** The response to a plain GET of it. */
  readonly plain: Response | null
}

/** @throws Violation naming the first thing that is not as the exchange demands */
export function judge(response: Response, exchange: Exchange, known: Known): void {
  const { method = 'GET', expect, expectIfWeak, demands = {} } = exchange
  checkResponse(response, method, known.file)
  const weak = known.plain !== null && field(known.plain, 'etag')?.startsWith('W/') === true
  const expected = weak && expectIfWeak !== undefined ? expectIfWeak : expect
  const outcomes: readonly Outcome[] = Array.isArray(expected) ? expected : [expected as Outcome]
  if (!outcomes.some((outcome) => isOutcome(response, outcome, known.file)))
    throw new Violation(
      `${summary(response)}, not ${outcomes.map((one) => JSON.stringify(one)).join(' or ')}`,
    )
  checkDemands(response, demands, known)
}

function summary(response: Response): string {
  const spans = spansOf(response).map((span) => span.join('-'))
  const contentRange = field(response, 'content-range')
  const detail = spans.length > 0 ? spans.join(', ') : contentRange
  return detail === undefined ? `${response.status}` : `${response.status} (${detail})`
}

function isOutcome(response: Response, outcome: Outcome, file: FileContent | null): boolean {
  const { status } = response
  if (typeof outcome === 'number') return status === outcome
  if (typeof outcome === 'object') return !outcome.not.includes(status)
  // That a 200 has the whole file and nothing else is checked for every response.
  if (outcome === 'whole') return status === 200
  if (outcome === 'unsatisfied')
    return status === 416 && field(response, 'content-range') === `bytes */${file?.size}`
  return status === 206 && hasSpans(response, outcome)
}

function hasSpans(response: Response, outcome: string): boolean {
  const wanted = [...outcome.matchAll(/(\d+)-(\d+)/g)].map(
    ([, first, last]): Span => [Number(first), Number(last)],
  )
  const spans = spansOf(response)
  if (outcome.startsWith('covers')) return wanted.every((span) => isCovered(span, spans))
  return isMultipart(response) === outcome.startsWith('parts') && String(spans) === String(wanted)
}

function spansOf(response: Response): readonly Span[] {
  if (response.status !== 206) return []
  if (isMultipart(response)) return partsOf(response).parts.map(({ first, last }): Span => [first, last])
  const [, first, last] = /^bytes (\d+)-(\d+)\//.exec(field(response, 'content-range') ?? '') ?? []
  return first === undefined ? [] : [[Number(first), Number(last)]]
}

function partsOf(response: Response): Multipart {
  return parseMultipart(response)
}

function ascending(spans: readonly Span[]): readonly Span[] {
  return [...spans].sort(([a], [b]) => a - b)
}

function isCovered([first, last]: Span, spans: readonly Span[]): boolean {
  let next = first
  for (const [from, to] of ascending(spans)) if (from <= next) next = Math.max(next, to + 1)
  return next > last
}

type Check = (response: Response, known: Known, value: number) => string | null

/** Each says what is wrong, or `null`. */
const CHECKS: Readonly<Record<Exclude<keyof Demands, 'fields'>, Check>> = {
  explains: ({ status, content }) =>
    status >= 400 && content.length === 0 ? `a ${status} that explains nothing` : null,
  withoutFileBytes: ({ status, content }, { file }) =>
    status >= 400 && content.length > 0 && file?.slice(0, content.length).equals(content) === true
      ? `a ${status} with the file's bytes`
      : null,
  knownLength: (response) => (field(response, 'content-length') === undefined ? 'no Content-Length' : null),
  eachByteOnce: (response) => (closest(response) <= 0 ? 'a byte that is sent twice' : null),
  apart: (response) => (closest(response) <= 1 ? 'parts that touch' : null),
  typedParts: (response, { plain }) => {
    const type = plain === null ? undefined : field(plain, 'content-type')
    const other = isMultipart(response)
      ? partsOf(response).parts.find((part) => part.type !== type)
      : undefined
    return other === undefined ? null : `a part of type ${other.type}, the 200 has ${type}`
  },
  plainBoundary: (response) =>
    isMultipart(response) && partsOf(response).quoted ? 'a quoted boundary parameter' : null,
  modifiedByDate: (response) => {
    const [modified, date] = [field(response, 'last-modified'), field(response, 'date')]
    const late = (parseImfFixdate(modified) ?? 0) > (parseImfFixdate(date) ?? 0)
    return late ? `Last-Modified ${modified}, Date ${date}` : null
  },
  mostBytes: ({ content }, _, most) => (content.length > most ? `${content.length} bytes of content` : null),
  mostMilliseconds: ({ milliseconds }, _, most) =>
    milliseconds > most ? `${Math.round(milliseconds)} ms` : null,
}

/** How far the next part begins behind the end of one, at the least: 0 and less is an overlap, 1 is no gap. */
function closest(response: Response): number {
  const spans = ascending(spansOf(response))
  return Math.min(...spans.slice(1).map(([first], before) => first - (spans[before]?.[1] ?? 0)))
}

function checkDemands(response: Response, { fields = {}, ...demands }: Demands, known: Known): void {
  for (const [name, rule] of Object.entries(fields)) checkField(response, name, rule, known.plain)
  for (const [name, value] of Object.entries(demands)) {
    const fault = CHECKS[name as keyof typeof CHECKS](response, known, Number(value))
    if (fault !== null) throw new Violation(fault)
  }
}

function checkField(response: Response, name: string, rule: FieldRule, plain: Response | null): void {
  const value = field(response, name)
  const usual = plain === null ? undefined : field(plain, name)
  if (obeys(value, rule, usual)) return
  const asked = rule === 'as in the 200' ? usual : rule instanceof RegExp ? rule : JSON.stringify(rule)
  throw new Violation(`${response.status} with ${name} ${value}, not ${asked}`)
}

function obeys(value: string | undefined, rule: FieldRule, usual: string | undefined): boolean {
  if (rule === 'present') return value !== undefined
  if (rule === 'absent') return value === undefined
  if (rule === 'as in the 200') return value === usual
  return rule instanceof RegExp ? rule.test(value ?? '') : !rule.not.test(value ?? '')
}
