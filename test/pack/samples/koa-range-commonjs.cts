import range = require('koa-range')

import('./koa-range-cases.js').then(({ checkChains }) => checkChains(range))
