import range from 'koa-range'
import { checkChains } from './koa-range-cases.js'

await checkChains(range)
