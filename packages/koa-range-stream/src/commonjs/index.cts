import main = require('../index.ts')

/** `require('koa-range-stream')` is the function that `require('koa-range')` is, with the named exports as its properties. */
const koaRange: typeof main.default & typeof main = Object.assign(main.default, main)

/** Only types, which `export =` would drop. */
declare namespace koaRange {
  type ByteStream = main.ByteStream
  type Content = main.Content
  type ContentStream = main.ContentStream
  type FileContent = main.FileContent
  type FileContentOptions = main.FileContentOptions
  type RangeStreamOptions = main.RangeStreamOptions
  type ServeContentOptions = main.ServeContentOptions
  type WebByteStream = main.WebByteStream
}

export = koaRange
