import { expect } from 'vitest'
import type { Answer, Exchange } from '../exchange.ts'
import { append, cancellation, content, creation, NEWEST, retrieval } from '../requests.ts'
import { arrival, type Context, must, ours, pathOf, should, type Theme } from '../suite.ts'

const succeeded = (answer: Answer | null) => answer !== null && answer.status >= 200 && answer.status < 300

/** Asks within a second, while `stalled` hangs, and sees that that was ended without success. */
async function retrieveBeside(the: Context, path: string, stalled: Exchange, method = 'HEAD') {
  const begun = performance.now()
  const answer = await the.send(retrieval(path, NEWEST, method))
  const took = performance.now() - begun
  expect(answer.status).toBe(204)
  expect(succeeded(await stalled.outcome)).toBe(false)
  // A busy machine delays a request beside which nothing stalls, too.
  const again = performance.now()
  await the.send(retrieval(path, NEWEST, method))
  expect(took).toBeLessThan(1000 + 4 * (performance.now() - again))
  return Number(answer.fields['upload-offset'])
}

async function complete(the: Context, path: string, body: Buffer, offset: number): Promise<void> {
  const answer = await the.send(append(path, { offset, body: body.subarray(offset), complete: true }))
  expect(answer).toMatchObject({ status: 201, fields: { 'upload-complete': '?1' } })
  await the.expectStored(body)
}

export const CONCURRENCY: Theme = {
  name: 'concurrency',
  cases: [
    should('4.6', 'answers HEAD within a second while an append stalls, and ends that one', async (the) => {
      const body = content(700_000)
      const path = await the.begin()
      const stalled = await the.stall(path, 0, body.subarray(0, 600_000), 100_000)
      const offset = await retrieveBeside(the, path, stalled)
      expect(offset).toBe(600_000)
      await complete(the, path, body, offset)
    }),
    should('4.6', 'answers GET within a second while an append stalls, and ends that one', async (the) => {
      const body = content(5000)
      const path = await the.begin()
      const stalled = await the.stall(path, 0, body.subarray(0, 3000), 2000)
      await complete(the, path, body, await retrieveBeside(the, path, stalled, 'GET'))
    }),
    should(
      '4.6',
      'answers HEAD within a second while the creation stalls, and ends that one',
      async (the) => {
        const body = content(5000)
        const stalled = the.open(creation(the.key, { complete: true, announced: 5000 }))
        const told = await stalled.interim(({ fields }) => 'location' in fields)
        stalled.write(body.subarray(0, 3000))
        const path = pathOf(told?.fields['location'])
        await the.accepted(path, 3000)
        const offset = await retrieveBeside(the, path, stalled)
        expect(offset).toBe(3000)
        await complete(the, path, body, offset)
      },
    ),
    should('4.6', 'ends a stalled append for the next append', async (the) => {
      const body = content(5000)
      const path = await the.begin()
      const stalled = await the.stall(path, 0, body.subarray(0, 3000), 2000)
      const answer = await the.send(append(path, { offset: 0, body: content(10), complete: false }))
      // What the first had brought counts, so that this one comes too late.
      expect(answer).toMatchObject({ status: 409, fields: { 'upload-offset': '3000' } })
      expect(succeeded(await stalled.outcome)).toBe(false)
      await complete(the, path, body, 3000)
    }),
    must('4.6', 'takes nothing that the ended request sends afterwards', async (the) => {
      const body = content(5000)
      const path = await the.begin()
      const stalled = await the.stall(path, 0, body.subarray(0, 3000), 2000)
      const offset = await the.offsetOf(path)
      stalled.write(content(1000))
      stalled.write(content(1000))
      await arrival()
      expect(await the.offsetOf(path)).toBe(offset)
      await complete(the, path, body, offset)
    }),
    must('4.6', 'accepts each announced offset though the request before it was under way', async (the) => {
      const body = content(2_000_000)
      const path = await the.begin()
      let offset = 0
      const running: Exchange[] = []
      while (offset < 1_500_000) {
        const exchange = the.open(append(path, { offset, complete: true, announced: body.length - offset }))
        running.push(exchange)
        exchange.write(body.subarray(offset, offset + 300_000))
        // Not waited for: it may have come in part.
        await exchange.interim(({ status }) => status === 104, 30)
        const next = await the.offsetOf(path)
        expect(next).toBeGreaterThanOrEqual(offset)
        expect(next).toBeLessThanOrEqual(offset + 300_000)
        offset = next === offset ? offset + (await pushed(the, path, body, offset)) : next
      }
      for (const exchange of running) expect(succeeded(await exchange.outcome)).toBe(false)
      await complete(the, path, body, offset)
    }),
    must('4.6', 'lets never two appends at one offset succeed, and stays exact', async (the) => {
      for (let round = 0; round < 8; round++) {
        const key = `${round}-${the.key}`
        const created = await the.send(creation(key, { complete: false }))
        const path = pathOf(created.fields['location'])
        const bodies = [content(30_000), content(30_000)]
        const exchanges = bodies.map((body) => {
          const exchange = the.open(append(path, { offset: 0, complete: true, announced: body.length }))
          exchange.write(body)
          exchange.end()
          return exchange
        })
        const answers = await Promise.all(exchanges.map(({ outcome }) => outcome))
        const winners = bodies.filter((_, at) => succeeded(answers[at] ?? null))
        expect(winners.length).toBeLessThanOrEqual(1)
        const found = await the.stored(key)
        // One that was answered is there; one that was ended meanwhile may be there in part, never mixed.
        if (winners[0] !== undefined) expect(found?.equals(winners[0])).toBe(true)
        else if (found !== null) expect(bodies.some((body) => found.equals(body))).toBe(true)
      }
    }),
    must('4.6', 'never mixes the bytes of two appends that come in pieces', async (the) => {
      const path = await the.begin()
      const bodies = [Buffer.alloc(60_000, 'a'), Buffer.alloc(60_000, 'b')]
      const exchanges = bodies.map((body) =>
        the.open(append(path, { offset: 0, complete: false, announced: body.length })),
      )
      for (let at = 0; at < 60_000; at += 10_000) {
        for (const [which, exchange] of exchanges.entries())
          exchange.write(bodies[which]?.subarray(at, at + 10_000) ?? Buffer.alloc(0))
        await new Promise(setImmediate)
      }
      for (const exchange of exchanges) exchange.end()
      const answers = await Promise.all(exchanges.map(({ outcome }) => outcome))
      expect(answers.filter(succeeded).length).toBeLessThanOrEqual(1)
      const offset = await the.offsetOf(path)
      await the.send(append(path, { offset, body: content(0), complete: true }))
      const found = (await the.stored())?.toString() ?? ''
      expect(found.replace(/^(?:a*|b*)$/, '')).toBe('')
    }),
    must('4.6', 'tells everybody who asks at once an offset that is accepted', async (the) => {
      const body = content(5000)
      const path = await the.begin()
      const stalled = await the.stall(path, 0, body.subarray(0, 3000), 2000)
      const offsets = await Promise.all(Array.from({ length: 6 }, () => the.offsetOf(path)))
      expect(new Set(offsets)).toEqual(new Set([3000]))
      expect(succeeded(await stalled.outcome)).toBe(false)
      await complete(the, path, body, 3000)
    }),
    must('4.6', 'keeps an upload whole or gone when a cancellation races its last append', async (the) => {
      for (let round = 0; round < 8; round++) {
        const body = content(30_000)
        const key = `${round}-${the.key}`
        const created = await the.send(creation(key, { complete: false }))
        const path = pathOf(created.fields['location'])
        const last = the.open(append(path, { offset: 0, complete: true, announced: body.length }))
        last.write(body)
        if (round % 2 === 1) await new Promise((resolve) => setTimeout(resolve, 2 * round))
        const cancelled = await the.send(cancellation(path))
        expect([204, 404, 410]).toContain(cancelled.status)
        const answer = await last.outcome
        await the.expectGone(path)
        const found = await the.stored(key)
        if (succeeded(answer)) expect(found?.equals(body)).toBe(true)
        if (found !== null) expect(found.equals(body)).toBe(true)
      }
    }),
    ours('12', 'ends no other request on the connection of the ended one', async (the) => {
      const [one, other] = [await the.begin(), await the.begin()]
      const [stalled, alive] = [
        await the.stall(one, 0, content(100)),
        await the.stall(other, 0, content(100), 50),
      ]
      await the.offsetOf(one)
      expect(succeeded(await stalled.outcome)).toBe(false)
      alive.write(content(50))
      alive.end()
      expect(await alive.outcome).toMatchObject({ status: 201 })
    }),
    ours('4.6', 'runs uploads beside each other', async (the) => {
      const bodies = Array.from({ length: 5 }, () => content(100_000))
      const all = bodies.map(async (body, at) => {
        const key = `${at}-${the.key}`
        const created = await the.send(creation(key, { complete: false, body: body.subarray(0, 50_000) }))
        const rest = { offset: 50_000, body: body.subarray(50_000), complete: true }
        await the.send(append(pathOf(created.fields['location']), rest))
        await the.expectStored(body, key)
      })
      await Promise.all(all)
    }),
  ],
}

/** Brings the upload on for certain; how far. */
async function pushed(the: Context, path: string, body: Buffer, offset: number): Promise<number> {
  const piece = body.subarray(offset, offset + 200_000)
  expect(await the.send(append(path, { offset, body: piece, complete: false }))).toMatchObject({
    fields: { 'upload-complete': '?0' },
  })
  return piece.length
}
