import range, { rangeStream } from 'koa-range-stream'
import { parseRange } from 'range-core'

test('imports that Babel turns into require give the default export and the named ones', () => {
  expect(range).toHaveLength(2)
  expect(typeof rangeStream()).toBe('function')
  expect(parseRange('bytes=0-1')).not.toBeNull()
})
