import fc from 'fast-check'
import { parseEntityTags, parseHttpDate, parseRange, planResponse, resolveRanges } from 'range-core'
import parseByJshttp from 'range-parser'
import { describe, expect, it } from 'vitest'

/** `FUZZ_RUNS=1000000 npx vitest run test/range-core/fuzz.test.ts` for the long run. */
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 20_000)

const SPICE = [
  'bytes=',
  'BYTES=',
  'items=',
  '-',
  ',',
  ' ',
  '\t',
  '=',
  '0',
  '1',
  '499',
  '18446744073709551616',
  '"',
  'W/',
  '*',
  '"a"',
  '"a,b"',
  'W/"a"',
  '\u00a0',
  '\u00ff',
  'Sun, 06 Nov 1994 08:49:37 GMT',
  'Sunday, 06-Nov-94 08:49:37 GMT',
  'GMT',
  ':',
] as const

const FIELD = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.array(fc.constantFrom(...SPICE), { maxLength: 20 }).map((parts) => parts.join('')),
)
const NAMES = [
  'range',
  'if-range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
] as const
const HEADERS = fc.dictionary(fc.constantFrom(...NAMES), FIELD, { maxKeys: 3 })

describe('any string at all', () => {
  it(`throws nowhere, and every plan is one that can be sent (${numRuns} runs)`, () => {
    fc.assert(
      fc.property(HEADERS, FIELD, fc.integer({ min: 0, max: 2000 }), (headers, field, size) => {
        parseRange(field)
        parseEntityTags(field)
        parseHttpDate(field)
        const plan = planResponse(
          { method: 'GET', headers },
          { size, etag: '"a"', lastModified: 784111777000 },
        )
        const ranges =
          plan.kind === 'partial'
            ? [plan.range]
            : plan.kind === 'multipart'
              ? plan.layout.parts.map(({ range }) => range)
              : []
        for (const { start, end } of ranges) {
          if (!(0 <= start && start <= end && end < size)) throw new Error(`${start}-${end} of ${size}`)
        }
      }),
      { numRuns },
    )
  }, 600_000)
})

describe('the range-parser of jshttp', () => {
  // Where it is right: it drops suffixes longer than the content, takes stray characters, and rounds above 2^53.
  const POSITION = fc.integer({ min: 0, max: 300 })
  const SPEC = fc.oneof(
    fc.tuple(POSITION, POSITION).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
    POSITION.map((first) => `${first}-`),
    fc.integer({ min: 1, max: 300 }).map((length) => `-${length}`),
  )

  it('resolves valid sets to the same ranges', () => {
    fc.assert(
      fc.property(
        fc.array(SPEC, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 250 }),
        (specs, size) => {
          const fitting = specs.map((spec) =>
            spec.replace(/^-(\d+)$/, (_, length) => `-${(length % size) + 1}`),
          )
          const field = `bytes=${fitting.join(',')}`
          const theirs = parseByJshttp(size, field)
          const ours = resolveRanges(parseRange(field) ?? [], size)
          expect(ours).toEqual(
            typeof theirs === 'number' ? [] : theirs.map(({ start, end }) => ({ start, end })),
          )
        },
      ),
      { numRuns: 5000 },
    )
  })
})
