import fc from 'fast-check'
import { type ByteRange, planResponse, type RangeSpec, type ResponsePlan } from 'range-core'
import { describe, expect, it } from 'vitest'

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('"', 'W', '/', ',', ' ', '\t', '*', '-', '=', '0', '9', 'bytes=', '\u00a0'),
  }),
  fc.constantFrom('Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', '"a"', '*', 'bytes=0-'),
)
const field = fc.option(fc.oneof(text, fc.array(text, { maxLength: 3 })), { nil: undefined })
const fields = fc.record({
  range: field,
  'if-range': field,
  'if-match': field,
  'if-none-match': field,
  'if-modified-since': field,
  'if-unmodified-since': field,
})
const representation = fc.record({
  size: fc.oneof(fc.nat(100), fc.maxSafeNat()),
  etag: fc.option(text, { nil: undefined }),
  lastModified: fc.option(fc.oneof(fc.double({ min: 0 }), fc.constant(Number.NaN), fc.nat()), {
    nil: undefined,
  }),
  type: fc.option(text, { nil: undefined }),
})

const spec: fc.Arbitrary<RangeSpec> = fc.oneof(
  fc.tuple(fc.nat(120), fc.nat(120)).map(([a, b]) => ({ firstPos: Math.min(a, b), lastPos: Math.max(a, b) })),
  fc.nat(120).map((firstPos) => ({ firstPos, lastPos: null })),
  fc.nat(120).map((suffixLength) => ({ suffixLength })),
)

function write(one: RangeSpec): string {
  return 'suffixLength' in one ? `-${one.suffixLength}` : `${one.firstPos}-${one.lastPos ?? ''}`
}

/** What a client would slice out of the content itself: Array.slice takes care of the ends. */
function slice(content: readonly number[], one: RangeSpec): readonly number[] {
  if ('suffixLength' in one) return one.suffixLength === 0 ? [] : content.slice(-one.suffixLength)
  return content.slice(one.firstPos, one.lastPos === null ? undefined : one.lastPos + 1)
}

function plannedRanges(plan: ResponsePlan): readonly ByteRange[] {
  if (plan.kind === 'partial') return [plan.range]
  return plan.kind === 'multipart' ? plan.layout.parts.map(({ range }) => range) : []
}

const lengthOf = ({ start, end }: ByteRange) => end - start + 1
const content = fc.array(fc.nat(255), { minLength: 1, maxLength: 100 })
const specs = fc.array(spec, { minLength: 1, maxLength: 8 })

describe('planResponse, for any request', () => {
  it('never throws, and plans one of six kinds with its status (property)', () => {
    const statuses = {
      full: 200,
      partial: 206,
      multipart: 206,
      'not-modified': 304,
      'precondition-failed': 412,
      unsatisfiable: 416,
    }
    const method = fc.oneof(fc.constantFrom('GET', 'HEAD', 'PUT', 'OPTIONS'), fc.string())
    fc.assert(
      fc.property(method, fields, representation, (name, headers, about) => {
        const plan = planResponse({ method: name, headers }, about)
        expect(plan.status).toBe(statuses[plan.kind])
      }),
      { numRuns: 2000 },
    )
  })

  it('plans just the bytes that one range slices out of the content (property)', () => {
    fc.assert(
      fc.property(content, spec, (bytes, one) => {
        const headers = { range: `bytes=${write(one)}` }
        const plan = planResponse({ method: 'GET', headers }, { size: bytes.length })
        const sent = plannedRanges(plan).flatMap(({ start, end }) => bytes.slice(start, end + 1))
        expect(sent).toEqual(slice(bytes, one))
        expect(plan.status).toBe(sent.length === 0 ? 416 : 206)
      }),
      { numRuns: 500 },
    )
  })

  it('plans just the bytes that several ranges slice out of the content, each once (property)', () => {
    fc.assert(
      fc.property(content, specs, (bytes, list) => {
        const offsets = bytes.map((_, at) => at)
        const asked = list.flatMap((one) => slice(offsets, one))
        const headers = { range: `bytes=${list.map(write).join(', ')}` }
        const plan = planResponse({ method: 'GET', headers }, { size: bytes.length })
        const sent = plannedRanges(plan).flatMap(({ start, end }) => offsets.slice(start, end + 1))
        if (asked.length > bytes.length) expect(plan.kind).toBe('full')
        else expect(sent.sort((a, b) => a - b)).toEqual([...new Set(asked)].sort((a, b) => a - b))
      }),
      { numRuns: 500 },
    )
  })

  it('never plans more bytes of content than there are, nor than maxPartialLength (property)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), specs, fc.nat(100), (size, list, maxPartialLength) => {
        const headers = { range: `bytes=${list.map(write).join()}` }
        const plan = planResponse({ method: 'GET', headers }, { size }, { maxPartialLength })
        const sum = plannedRanges(plan).reduce((total, range) => total + lengthOf(range), 0)
        expect(sum).toBeLessThanOrEqual(Math.max(1, Math.min(size, maxPartialLength)))
        expect(plannedRanges(plan).every((range) => range.start >= 0 && lengthOf(range) > 0)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})
