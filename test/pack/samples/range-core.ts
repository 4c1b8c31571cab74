import assert from 'node:assert/strict'
import { planResponse, type RequestHead, type ResponsePlan } from 'range-core'

const request: RequestHead = { method: 'GET', headers: { range: 'bytes=-500' } }
const plan: ResponsePlan = planResponse(request, { size: 2000, etag: '"abc"' })
assert.equal(plan.kind, 'partial')
assert.deepEqual(plan.kind === 'partial' && plan.range, { start: 1500, end: 1999 })
