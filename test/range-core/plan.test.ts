import { formatHttpDate, planResponse, type Representation, type RequestFields } from 'range-core'
import { describe, expect, it } from 'vitest'

const NOW = Date.parse('2025-06-15T12:00:00Z')
const AT = 'Sun, 01 Jun 2025 00:00:00 GMT'
const clip: Representation = {
  size: 2000,
  etag: '"a"',
  lastModified: Date.parse('2025-06-01T00:00:00.750Z'),
  type: 'video/mp4',
}
const validators = { 'Accept-Ranges': 'bytes', ETag: '"a"', 'Last-Modified': AT }

function plan(headers: RequestFields, method = 'GET', representation = clip) {
  return planResponse({ method, headers }, representation, { now: NOW })
}

describe('planResponse: the kinds and their fields', () => {
  it('plans the example of its documentation', () => {
    const planned = planResponse({ method: 'GET', headers: { range: 'bytes=-500' } }, { size: 2000 })
    expect(planned).toMatchObject({ kind: 'partial', range: { start: 1500, end: 1999 } })
  })

  it('answers 200 with the whole content without Range', () => {
    expect(plan({})).toEqual({
      kind: 'full',
      status: 200,
      headers: { ...validators, 'Content-Length': '2000' },
    })
  })

  it('answers 206 with Content-Range for one range (RFC 9110 §15.3.7.1)', () => {
    const contentRange = 'bytes 100-199/2000'
    expect(plan({ range: 'bytes=100-199' })).toEqual({
      kind: 'partial',
      status: 206,
      headers: { ...validators, 'Content-Length': '100', 'Content-Range': contentRange },
      range: { start: 100, end: 199 },
    })
  })

  it('answers 206 with multipart/byteranges and no Content-Range for several (RFC 9110 §15.3.7.2)', () => {
    const planned = plan({ range: 'bytes=1000-1099,0-49' })
    if (planned.kind !== 'multipart') throw new Error(planned.kind)
    const { contentLength, contentType, parts } = planned.layout
    expect(planned).toEqual({
      kind: 'multipart',
      status: 206,
      headers: { ...validators, 'Content-Length': `${contentLength}`, 'Content-Type': contentType },
      layout: planned.layout,
    })
    expect(contentType).toMatch(/^multipart\/byteranges; boundary=[0-9a-f]{32}$/)
    expect(parts.map(({ range }) => range)).toEqual([
      { start: 1000, end: 1099 },
      { start: 0, end: 49 },
    ])
    expect(parts.every(({ head }) => head.includes('\r\nContent-Type: video/mp4\r\n'))).toBe(true)
  })

  it('answers 304 with the validators and no field of the content (RFC 9110 §15.4.5)', () => {
    expect(plan({ 'if-none-match': '"a"' })).toEqual({
      kind: 'not-modified',
      status: 304,
      headers: validators,
    })
  })

  it('answers 412 without fields (RFC 9110 §15.5.13)', () => {
    expect(plan({ 'if-match': '"x"' })).toEqual({ kind: 'precondition-failed', status: 412, headers: {} })
  })

  it('answers 416 with the complete length (RFC 9110 §15.5.17)', () => {
    expect(plan({ range: 'bytes=2000-' })).toEqual({
      kind: 'unsatisfiable',
      status: 416,
      headers: { 'Accept-Ranges': 'bytes', 'Content-Range': 'bytes */2000' },
    })
  })

  it('leaves out the validators that it does not know', () => {
    const bare = { 'Accept-Ranges': 'bytes', 'Content-Length': '5' }
    expect(plan({}, 'GET', { size: 5 }).headers).toStrictEqual(bare)
    expect(plan({}, 'GET', { size: 5, etag: undefined }).headers).toStrictEqual(bare)
    expect(plan({}, 'GET', { size: 5, lastModified: Number.NaN }).headers).not.toHaveProperty('Last-Modified')
  })

  it('never tells a Last-Modified later than now (RFC 9110 §8.8.2.1)', () => {
    const future = { ...clip, lastModified: NOW + 86_400_000 }
    expect(plan({}, 'GET', future).headers['Last-Modified']).toBe(formatHttpDate(NOW))
    expect(plan({ range: 'bytes=0-0' }, 'GET', future).headers['Last-Modified']).toBe(formatHttpDate(NOW))
  })

  it('uses the time of the clock by default', () => {
    const future = { size: 5, lastModified: Date.now() + 86_400_000 }
    const { headers } = planResponse({ method: 'GET', headers: {} }, future)
    expect(Math.abs(Date.parse(headers['Last-Modified'] ?? '') - Date.now())).toBeLessThan(5000)
  })
})

describe('planResponse: what decides first (RFC 9110 §13.2.2)', () => {
  it.each<[string, RequestFields, number]>([
    ['412 over 304', { 'if-match': '"x"', 'if-none-match': '"a"' }, 412],
    ['412 over 206', { 'if-match': '"x"', range: 'bytes=0-0' }, 412],
    ['412 over 416', { 'if-match': '"x"', range: 'bytes=9999-' }, 412],
    ['412 by date over 206', { 'if-unmodified-since': formatHttpDate(0), range: 'bytes=0-0' }, 412],
    ['304 over 206', { 'if-none-match': '"a"', range: 'bytes=0-0' }, 304],
    ['304 over 416', { 'if-none-match': '"a"', range: 'bytes=9999-' }, 304],
    ['304 by date over 206', { 'if-modified-since': AT, range: 'bytes=0-0' }, 304],
    ['304 over a failed If-Range', { 'if-none-match': '"a"', 'if-range': '"x"', range: 'bytes=0-0' }, 304],
    ['a failed If-Range over 206', { 'if-range': '"x"', range: 'bytes=0-0' }, 200],
    ['a failed If-Range over 416', { 'if-range': '"x"', range: 'bytes=9999-' }, 200],
    ['an If-Range that holds, then 206', { 'if-range': '"a"', range: 'bytes=0-0' }, 206],
    ['an If-Range date that holds, then 206', { 'if-range': AT, range: 'bytes=0-0' }, 206],
    ['an If-Range that holds, then 416', { 'if-range': '"a"', range: 'bytes=9999-' }, 416],
    ['If-Range without Range', { 'if-range': '"a"' }, 200],
    ['If-Match that holds, then 206', { 'if-match': '"a"', range: 'bytes=0-0' }, 206],
  ])('%s', (_what, headers, status) => {
    expect(plan(headers).status).toBe(status)
  })

  it('evaluates If-Modified-Since at the given time', () => {
    const future = { size: 5, lastModified: NOW + 86_400_000 }
    expect(plan({ 'if-modified-since': formatHttpDate(NOW) }, 'GET', future).status).toBe(304)
  })

  it('takes an If-Range date within its second for weak (RFC 9110 §8.8.2.2)', () => {
    const request = { method: 'GET', headers: { 'if-range': AT, range: 'bytes=0-0' } }
    const changed = Date.parse(AT)
    expect(planResponse(request, { ...clip, etag: undefined }, { now: changed + 999 }).status).toBe(200)
    expect(planResponse(request, { ...clip, etag: undefined }, { now: changed + 1000 }).status).toBe(206)
  })

  it.each(['HEAD', 'POST', 'PUT', 'get'])('ignores Range on %s (RFC 9110 §14.2)', (method) => {
    const whole = { ...validators, 'Content-Length': '2000' }
    expect(plan({ range: 'bytes=0-0' }, method)).toEqual({ kind: 'full', status: 200, headers: whole })
    expect(plan({ range: 'bytes=9999-' }, method).status).toBe(200)
  })

  it('answers HEAD with 304 and 412 as it answers GET', () => {
    expect(plan({ 'if-none-match': '"a"' }, 'HEAD').status).toBe(304)
    expect(plan({ 'if-match': '"x"' }, 'HEAD').status).toBe(412)
  })
})

describe('planResponse: numbers that cannot be sent to a client', () => {
  it.each([-9e15, Date.parse('-000001-12-31T23:59:59Z'), Number.NaN])(
    'leaves out a lastModified of %d',
    (lastModified) => {
      const plan = planResponse({ method: 'GET', headers: {} }, { size: 1, lastModified })
      expect(plan.headers).not.toHaveProperty('Last-Modified')
    },
  )

  it('tells the first Last-Modified that an HTTP-date can tell, in the year 0', () => {
    const lastModified = Date.parse('0000-01-01T00:00:00Z')
    const { headers } = planResponse({ method: 'GET', headers: {} }, { size: 1, lastModified })
    expect(headers['Last-Modified']).toBe('Sat, 01 Jan 0000 00:00:00 GMT')
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 1.5, -1])(
    'throws a RangeError that names a size of %s',
    (size) => {
      const planIt = () => planResponse({ method: 'GET', headers: {} }, { size })
      expect(planIt).toThrow(RangeError)
      expect(planIt).toThrow(`The size ${size} is not a whole number of bytes.`)
    },
  )

  it('takes the whole bytes of a maxPartialLength', () => {
    const request = { method: 'GET', headers: { range: 'bytes=0-' } }
    expect(planResponse(request, { size: 10 }, { maxPartialLength: 1.5 }).headers['Content-Length']).toBe('1')
  })
})
