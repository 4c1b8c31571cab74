import { describe, expect, it } from 'vitest'
import { CASES } from './cases/index.ts'
import { ABOUT_OBJECTS, describeConformance } from './describe-conformance.ts'
import { startAssets, startAssetsOverTls, startModule, startStored } from './ours.ts'
import type { Started } from './target.ts'

describe('the cases', () => {
  it('have an id each', () => {
    const ids = CASES.map(({ id }) => id)
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([])
  })
})

describeConformance('the demo server, static files', startAssets, CASES)
describeConformance('the demo server, stored objects', startStored, ABOUT_OBJECTS)
// Neither asks the kernel to send a file: over TLS it cannot, and koa-range-stream alone does not. A server without `sendfile`
// does the same.
if (process.env['RANGE_SERVER_SENDFILE'] !== 'off') {
  describeConformance('the demo server, static files over TLS', startAssetsOverTls, CASES, ['openssl'])
  describeConformance(
    'Koa, koa-conditional-get, rangeStream, koa-static',
    (root: string, home: string): Promise<Started> => startModule('ten-lines', root, home),
    CASES,
  )
}
