import { type ByteRange, type PlanOptions, planResponse } from 'range-core'
import { describe, expect, it } from 'vitest'

/** The ranges that a GET with this Range gets; a status where it gets none. */
function selected(range: string | readonly string[], options: PlanOptions = {}, size = 100) {
  const plan = planResponse({ method: 'GET', headers: { range } }, { size }, options)
  if (plan.kind === 'partial') return [pair(plan.range)]
  return plan.kind === 'multipart' ? plan.layout.parts.map((part) => pair(part.range)) : plan.status
}

const pair = ({ start, end }: ByteRange) => `${start}-${end}`

describe('planResponse: which ranges it selects', () => {
  it.each<[string, string, readonly string[]]>([
    ['cuts an end behind the last byte (RFC 9110 §14.1.2)', 'bytes=90-200', ['90-99']],
    ['cuts an end beyond 2^64', 'bytes=90-18446744073709551616', ['90-99']],
    ['answers a suffix', 'bytes=-1', ['99-99']],
    ['answers a longer suffix with all', 'bytes=-101', ['0-99']],
    ['answers an open range from 0 with all', 'bytes=0-', ['0-99']],
    ['drops what cannot be satisfied', 'bytes=100-,5-6,-0', ['5-6']],
    ['merges touching ranges into one 206', 'bytes=0-4,5-9', ['0-9']],
    ['merges overlapping ranges into one 206', 'bytes=5-9,0-6', ['0-9']],
    ['keeps the order of the request', 'bytes=50-59,0-9,30-39', ['50-59', '0-9', '30-39']],
    ['lets ranges add up to the complete length', 'bytes=50-99,0-49', ['0-99']],
    ['lets repeated ranges add up to the complete length', 'bytes=0-49,0-49', ['0-49']],
  ])('%s', (_what, field, ranges) => {
    expect(selected(field)).toEqual(ranges)
  })

  it.each<[string, string, number]>([
    ['ignores an unknown range unit (RFC 9110 §14.2)', 'seconds=0-5', 200],
    ['ignores a malformed set', 'bytes=0-5,a', 200],
    ['ignores a reversed range', 'bytes=5-0', 200],
    ['ignores an empty field', '', 200],
    ['ignores ranges that add up to more than the content', 'bytes=0-50,50-99', 200],
    ['ignores repetitions of all of it', 'bytes=0-,0-', 200],
    ['refuses a start at the complete length (RFC 9110 §15.5.17)', 'bytes=100-', 416],
    ['refuses a suffix of zero bytes', 'bytes=-0', 416],
    ['refuses several ranges of which none is satisfiable', 'bytes=100-,200-300,-0', 416],
  ])('%s', (_what, field, status) => {
    expect(selected(field)).toBe(status)
  })

  it.each(['bytes=0-', 'bytes=0-0', 'bytes=-1', 'bytes=-0', 'bytes=5-'])(
    'ignores %s of empty content',
    (range) => {
      const plan = planResponse({ method: 'GET', headers: { range } }, { size: 0 })
      expect(plan).toEqual({
        kind: 'full',
        status: 200,
        headers: { 'Accept-Ranges': 'bytes', 'Content-Length': '0' },
      })
    },
  )

  it('answers a range of content near 2^53 bytes with all its digits', () => {
    const plan = planResponse(
      { method: 'GET', headers: { range: 'bytes=-1' } },
      { size: Number.MAX_SAFE_INTEGER },
    )
    expect(plan.headers['Content-Range']).toBe('bytes 9007199254740990-9007199254740990/9007199254740991')
  })

  it('joins a Range sent on several lines into one list (RFC 9110 §5.3)', () => {
    expect(selected(['bytes=0-1', '5-6'])).toEqual(['0-1', '5-6'])
    expect(selected(['bytes=0-1'])).toEqual(['0-1'])
    expect(selected(['bytes=0-1', 'bytes=5-6'])).toBe(200)
    expect(selected([])).toBe(200)
  })
})

describe('planResponse: maxRanges', () => {
  const ranges = (count: number) =>
    `bytes=${Array.from({ length: count }, (_, i) => `${2 * i}-${2 * i}`).join()}`

  it('answers as many as 16 ranges, and more with the whole content', () => {
    expect(selected(ranges(16))).toHaveLength(16)
    expect(selected(ranges(17))).toBe(200)
  })

  it('counts ranges as requested, before merging and before dropping', () => {
    expect(selected(`bytes=${'0-0,'.repeat(17)}`)).toBe(200)
    expect(selected(`bytes=0-0,${'500-,'.repeat(16)}`)).toBe(200)
  })

  it('does not count empty list elements', () => {
    expect(selected(`bytes=${','.repeat(50)}0-0`)).toEqual(['0-0'])
  })

  it('follows the option', () => {
    expect(selected(ranges(2), { maxRanges: 1 })).toBe(200)
    expect(selected(ranges(1), { maxRanges: 1 })).toEqual(['0-0'])
    expect(selected(ranges(1), { maxRanges: 0 })).toBe(200)
    expect(selected(ranges(40), { maxRanges: 40 })).toHaveLength(40)
    expect(selected(ranges(17), { maxRanges: undefined })).toBe(200)
  })

  it('plans 10,000 ranges if the limit is raised', () => {
    const field = ranges(10_000)
    expect(selected(field, {}, 20_000)).toBe(200)
    const all = selected(field, { maxRanges: 10_000 }, 20_000)
    expect(all).toHaveLength(10_000)
    expect(
      selected(`bytes=${'0-0,'.repeat(10_000)}`, { maxRanges: Number.POSITIVE_INFINITY }, 20_000),
    ).toEqual(['0-0'])
    expect(selected(`bytes=${'0-,'.repeat(10_000)}`, { maxRanges: Number.POSITIVE_INFINITY }, 20_000)).toBe(
      200,
    )
  })
})

describe('planResponse: maxPartialLength (RFC 9110 §15.3.7)', () => {
  it.each<[string, string, number, readonly string[]]>([
    ['leaves a range of that length', 'bytes=10-19', 10, ['10-19']],
    ['cuts a longer one at its end', 'bytes=10-29', 10, ['10-19']],
    ['cuts an open one', 'bytes=0-', 10, ['0-9']],
    ['cuts a suffix at its end, not at its start', 'bytes=-50', 10, ['50-59']],
    ['leaves out the ranges for which nothing is left', 'bytes=0-9,20-29,40-49', 10, ['0-9']],
    ['cuts the range at which the bytes run out', 'bytes=0-9,20-29,40-49', 15, ['0-9', '20-24']],
    ['spends the bytes in the order of the request', 'bytes=40-49,0-9', 12, ['40-49', '0-1']],
    ['counts merged ranges once', 'bytes=0-9,0-9,10-14', 15, ['0-14']],
    ['sends at least one byte', 'bytes=5-9,20-29', 0, ['5-5']],
    ['sends at least one byte under a negative limit', 'bytes=5-9', -1, ['5-5']],
  ])('%s', (_what, field, maxPartialLength, ranges) => {
    expect(selected(field, { maxPartialLength })).toEqual(ranges)
  })

  it.each(['maxRanges', 'maxPartialLength'])(
    'refuses %s that is NaN, as of a variable that is not set',
    (name) => {
      const plan = () => selected('bytes=5-9', { [name]: Number(undefined) })
      expect(plan).toThrow(
        expect.objectContaining({ code: 'INVALID_LIMIT', message: expect.stringContaining(name) }),
      )
    },
  )

  it('tells the cut range in the fields', () => {
    const request = { method: 'GET', headers: { range: 'bytes=0-' } }
    const { headers } = planResponse(request, { size: 100 }, { maxPartialLength: 10 })
    expect(headers).toMatchObject({ 'Content-Length': '10', 'Content-Range': 'bytes 0-9/100' })
  })

  it('does not cut a 200', () => {
    const plan = planResponse({ method: 'GET', headers: {} }, { size: 100 }, { maxPartialLength: 10 })
    expect(plan.headers['Content-Length']).toBe('100')
  })
})
