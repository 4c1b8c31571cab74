import { canRedirect, type RequestFields } from 'range-core'
import { describe, expect, it } from 'vitest'

const clip = { size: 2000, etag: '"a"', lastModified: Date.parse('2025-06-01T00:00:00Z') }
const AT = 'Sun, 01 Jun 2025 00:00:00 GMT'
const ask = (headers: RequestFields, method = 'GET') => canRedirect({ method, headers }, clip)

describe('canRedirect: what another server would answer the same', () => {
  it.each(['bytes=0-', 'bytes=5-9', 'bytes=-500', 'bytes=-5000', 'bytes=1999-99999'])('%s', (range) => {
    expect(ask({ range })).toBe(true)
  })

  it('everything', () => {
    expect(ask({})).toBe(true)
    expect(canRedirect({ method: 'GET', headers: {} }, { size: 0 })).toBe(true)
  })
})

describe('canRedirect: what is to be answered here', () => {
  it.each([
    ['416', { range: 'bytes=2000-' }],
    ['416 to no byte at all', { range: 'bytes=-0' }],
    ['several ranges', { range: 'bytes=0-0,5-9' }],
    ['several that become one', { range: 'bytes=0-4,5-9' }],
    ['a malformed range', { range: 'bytes=9-5' }],
    ['another unit', { range: 'items=0-1' }],
    ['an end beyond 2^53', { range: `bytes=0-${'9'.repeat(20)}` }],
    ['a range on two lines', { range: ['bytes=0-0', '5-9'] }],
    ['If-Match that holds', { 'if-match': '"a"' }],
    ['If-Match that does not', { 'if-match': '"b"' }],
    ['If-None-Match that holds', { 'if-none-match': '"b"' }],
    ['If-None-Match that does not', { 'if-none-match': '"a"' }],
    ['If-Modified-Since', { 'if-modified-since': AT }],
    ['If-Unmodified-Since', { 'if-unmodified-since': AT }],
    ['If-Range that is stale', { range: 'bytes=0-0', 'if-range': '"b"' }],
    ['If-Range that matches', { range: 'bytes=0-0', 'if-range': '"a"' }],
  ])('%s', (_, headers) => {
    expect(ask(headers)).toBe(false)
  })

  it('HEAD, and a range of nothing', () => {
    expect(ask({}, 'HEAD')).toBe(false)
    expect(canRedirect({ method: 'GET', headers: { range: 'bytes=0-' } }, { size: 0 })).toBe(false)
  })
})
