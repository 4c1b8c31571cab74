import { describe, expect, it } from 'vitest'
import { backoff, classifyFailure } from '../../apps/server/web/uploads/failure.ts'
import { precheck } from '../../apps/server/web/uploads/precheck.ts'
import { Rate } from '../../apps/server/web/uploads/rate.ts'

describe('what the page decides about an upload', () => {
  it.each([
    ['PATCH', 409, 'passing'],
    ['PATCH', 408, 'passing'],
    ['PATCH', 423, 'passing'],
    ['POST', 429, 'passing'],
    ['POST', 503, 'passing'],
    ['POST', 507, 'passing'],
    ['PATCH', 500, 'passing'],
    // The next attempt begins anew; a server that has no POST /video would be asked for ever.
    ['PATCH', 404, 'passing'],
    ['PATCH', 410, 'passing'],
    ['POST', 404, 'final, again'],
    ['POST', 400, 'final, again'],
    ['HEAD', 403, 'final, again'],
    ['POST', 413, 'final'],
    ['PATCH', 415, 'final'],
  ])('an answer to %s of %i is %s', (method, status, expected) => {
    const failure = classifyFailure({ method, status, body: '<html>', retryAfter: null })
    const isOffered = failure.kind === 'final' && failure.again
    expect(failure.kind + (isOffered ? ', again' : '')).toBe(expected)
  })

  it('waits as long as the server asks, and tells its reason', () => {
    const body = '{"title":"The server is full","detail":"3 bytes are left."}'
    expect(classifyFailure({ method: 'POST', status: 507, body, retryAfter: '60' })).toEqual({
      kind: 'passing',
      problem: { title: 'The server is full', detail: '3 bytes are left.' },
      after: 60_000,
    })
  })

  it('waits longer after each failure in a row, up to half a minute, and less by chance', () => {
    const longest = [1, 2, 3, 4, 5, 6, 60].map((failures) => backoff(failures, 1))
    expect(longest).toEqual([1, 2, 4, 8, 16, 30, 30].map((s) => s * 1000))
    expect(backoff(6, 0)).toBe(15_000)
  })

  it('tells a speed that a moment does not change', () => {
    // 1 MB/s for ten seconds, then nothing for one, then what an attempt went back by.
    const rate = new Rate()
    for (let time = 0; time <= 10; time += 0.1) rate.add(time * 1e6, time)
    expect(rate.perSecond / 1e6).toBeCloseTo(1, 1)
    rate.add(10e6, 11)
    const dipped = rate.perSecond
    expect(dipped / 1e6).toBeGreaterThan(0.7)
    expect(dipped / 1e6).toBeLessThan(0.95)
    rate.add(4e6, 12)
    expect(rate.perSecond).toBe(dipped)
  })

  it.each([
    ['video/mp4', 'video/*,audio/*', true],
    ['audio/flac', 'video/*,audio/*', true],
    ['text/plain', 'video/*,audio/*', false],
    ['video/webm', 'video/mp4', false],
    // The name says nothing, the server looks at the content.
    ['', 'video/*', true],
    ['application/ogg', 'video/*', true],
    ['text/plain', '', true],
  ])('a file of type %j is sent to a server of %j: %s', (type, accept, sent) => {
    expect(precheck({ size: 1, type }, { maxFileSize: 1, accept }) === null).toBe(sent)
  })
})
