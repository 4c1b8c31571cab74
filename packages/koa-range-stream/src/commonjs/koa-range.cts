import koaRange = require('../koa-range.ts')

const middleware: typeof koaRange.default = koaRange.default

export = middleware
