import { expect } from 'vitest'
import type { Answer } from '../exchange.ts'
import { REFUSAL } from '../problem.ts'
import { append, cancellation, content, creation, NOTHING, retrieval } from '../requests.ts'
import { arrival, type Context, must, ours, pathOf, should, type Theme } from '../suite.ts'

/** What a client that lost the answer to its last append does next. */
async function askAgain(the: Context, path: string): Promise<Answer> {
  const offset = await the.offsetOf(path)
  return the.send(append(path, { offset, body: NOTHING, complete: true }))
}

/** What of a final response a replay has too. */
function essence({ status, fields, body }: Answer) {
  return { status, location: fields['location'], complete: fields['upload-complete'], body: body.toString() }
}

export const COMPLETION: Theme = {
  name: 'completion and replay',
  cases: [
    ours(
      '4.4.2',
      'says the final response once more to who lost it, and publishes nothing again',
      async (the) => {
        const body = content(5000)
        const path = await the.begin()
        const first = await the.send(append(path, { offset: 0, body, complete: true }))
        const published = await the.store.get(the.key)
        for (let time = 0; time < 2; time++)
          expect(essence(await askAgain(the, path))).toEqual(essence(first))
        const { key, etag, lastModified } = (await the.store.get(the.key)) ?? {}
        expect({ key, etag, lastModified }).toEqual({
          key: published?.key,
          etag: published?.etag,
          lastModified: published?.lastModified,
        })
      },
    ),
    ours('4.4.2', 'says it once more to who completed by the creation', async (the) => {
      const answer = await the.send(creation(the.key, { complete: true, body: content(700) }))
      const told = answer.interims.find(({ fields }) => 'location' in fields)
      const again = await askAgain(the, pathOf(told?.fields['location']))
      expect(again).toMatchObject({ status: 201, fields: { 'upload-complete': '?1' } })
      expect(again.body.toString()).toBe(answer.body.toString())
    }),
    ours('4.4.2', 'completes an upload whose connection was cut after the last byte', async (the) => {
      for (const wait of [0, 1, 5, 100]) {
        const body = content(50_000)
        const key = `${wait}-${the.key}`
        const created = await the.send(creation(key, { complete: false }))
        const path = pathOf(created.fields['location'])
        const last = the.open(append(path, { offset: 0, complete: true, announced: body.length }))
        last.write(body)
        last.end()
        await new Promise((resolve) => setTimeout(resolve, wait))
        last.cut()
        await arrival()
        const offset = await the.offsetOf(path)
        const rest = { offset, body: body.subarray(offset), complete: true }
        expect(await the.send(append(path, rest))).toMatchObject({
          status: 201,
          fields: { 'upload-complete': '?1' },
        })
        await the.expectStored(body, key)
      }
    }),
    ours('4.4.2', 'repeats the response of then, though the object was replaced and removed', async (the) => {
      const path = await the.begin()
      const first = await the.send(append(path, { offset: 0, body: content(5000), complete: true }))
      await the.send(creation(the.key, { complete: true, body: content(10) }))
      expect(essence(await askAgain(the, path))).toEqual(essence(first))
      expect(await the.stored()).toHaveLength(10)
      await the.store.delete(the.key)
      expect(essence(await askAgain(the, path))).toEqual(essence(first))
      await the.expectStored(null)
    }),
    ours(
      '4.4.2',
      'answers the last append sent again as a whole by 409 and all of the offset',
      async (the) => {
        const body = content(5000)
        const path = await the.uploaded(body)
        const answer = await the.send(append(path, { offset: 0, body, complete: true }))
        expect(answer).toMatchObject({
          status: REFUSAL,
          fields: { 'upload-offset': '5000', 'upload-complete': '?0' },
        })
        await the.expectStored(body)
      },
    ),
    must('draft -11, 4.4.2', 'takes no more content once it is complete', async (the) => {
      const body = content(500)
      const path = await the.uploaded(body)
      for (const complete of [false, true]) {
        const answer = await the.send(append(path, { offset: 500, body: content(10), complete }))
        expect(answer).toMatchObject({ status: REFUSAL, fields: { 'upload-complete': '?0' } })
      }
      expect(await the.offsetOf(path)).toBe(500)
      await the.expectStored(body)
    }),
    must(
      'draft -11, 4.4.2',
      'takes no more content without Content-Length once it is complete',
      async (the) => {
        const body = content(500)
        const path = await the.uploaded(body)
        const more = { offset: 500, body: content(10), announced: null, complete: true }
        await the.send(append(path, more))
        expect(await the.offsetOf(path)).toBe(500)
        await the.expectStored(body)
      },
    ),
    ours('4.6', 'publishes once when two complete at once', async (the) => {
      const body = content(5000)
      const path = await the.begin({ body })
      const twice = [0, 1].map(() => the.open(append(path, { offset: 5000, complete: true })))
      const answers = await Promise.all(twice.map(({ outcome }) => outcome))
      for (const answer of answers) if (answer !== null) expect([201, 409]).toContain(answer.status)
      expect(essence(await askAgain(the, path))).toMatchObject({ status: 201, complete: '?1' })
      await the.expectStored(body)
    }),
    must('4.4.2', 'says ?1 when the target refuses the whole', async (the) => {
      await the.send(creation(the.key, { complete: true, body: content(10) }))
      const path = await the.begin({ fields: { 'If-None-Match': '*' } })
      const answer = await the.send(append(path, { offset: 0, body: content(20), complete: true }))
      expect(answer).toMatchObject({ status: 412, fields: { 'upload-complete': '?1' } })
      expect(await the.stored()).toHaveLength(10)
    }),
    should('13', 'asks once more who may when the upload is complete', async (the) => {
      const path = await the.begin()
      const fields = { 'X-Refuse': 'complete' }
      const answer = await the.send(append(path, { offset: 0, body: content(20), complete: true, fields }))
      expect(answer).toMatchObject({ status: 403 })
      await the.expectStored(null)
    }),
    should('13', 'asks who may create, and creates nothing for others', async (the) => {
      const fields = { 'X-Refuse': 'create' }
      const answer = await the.send(creation(the.key, { complete: true, body: content(20), fields }))
      expect(answer).toMatchObject({ status: 403, interims: [] })
      await the.expectStored(null)
    }),
    should('13', 'asks who may see the offset', async (the) => {
      const request = retrieval(await the.begin())
      const answer = await the.send({ ...request, fields: { ...request.fields, 'X-Refuse': 'retrieve' } })
      expect(answer).toMatchObject({ status: 403 })
      expect(answer.fields['upload-offset']).toBeUndefined()
    }),
    should('13', 'asks who may append, and takes nothing from others', async (the) => {
      const path = await the.begin()
      const fields = { 'X-Refuse': 'append' }
      const answer = await the.send(append(path, { offset: 0, body: content(20), complete: true, fields }))
      expect(answer).toMatchObject({ status: 403 })
      expect(await the.offsetOf(path)).toBe(0)
    }),
    should('13', 'asks who may cancel', async (the) => {
      const path = await the.begin({ body: content(20) })
      const request = cancellation(path)
      const answer = await the.send({ ...request, fields: { ...request.fields, 'X-Refuse': 'cancel' } })
      expect(answer).toMatchObject({ status: 403 })
      expect(await the.offsetOf(path)).toBe(20)
    }),
    ours('13', 'does not let who may not append end a request that goes on', async (the) => {
      const path = await the.begin()
      const going = await the.stall(path, 0, content(100), 50)
      const fields = { 'X-Refuse': 'append' }
      await the.send(append(path, { offset: 0, body: content(20), complete: true, fields }))
      going.write(content(50))
      going.end()
      expect(await going.outcome).toMatchObject({ status: 201 })
    }),
  ],
}
