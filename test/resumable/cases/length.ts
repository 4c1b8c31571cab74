import { expect } from 'vitest'
import { expectProblem, REFUSAL, SUCCESS } from '../problem.ts'
import { append, content, creation, NOTHING, retrieval } from '../requests.ts'
import { type Context, must, ours, should, type Theme } from '../suite.ts'

async function lengthOf(the: Context, path: string): Promise<string | undefined> {
  return (await the.send(retrieval(path))).fields['upload-length']
}

export const LENGTH: Theme = {
  name: 'length',
  cases: [
    must('4.1.3', 'takes both length indicators where they agree', async (the) => {
      const body = content(800)
      const answer = await the.send(creation(the.key, { complete: true, length: 800, body }))
      expect(answer).toMatchObject({ status: 201, fields: { 'upload-complete': '?1' } })
      await the.expectStored(body)
    }),
    must('4.1.3', 'refuses a creation whose Content-Length and Upload-Length differ', async (the) => {
      for (const length of [799, 801, 0]) {
        const answer = await the.send(creation(the.key, { complete: true, length, body: content(800) }))
        expect(answer).toMatchObject({ status: REFUSAL })
      }
      await the.expectStored(null)
    }),
    should('7.3', 'explains that by the problem type', async (the) => {
      const answer = await the.send(creation(the.key, { complete: true, length: 801, body: content(800) }))
      expectProblem(answer, 400, 'inconsistent-upload-length')
    }),
    must('4.1.3', 'does not complete a creation that ends before its Upload-Length', async (the) => {
      const request = creation(the.key, { complete: true, length: 900, body: content(800), announced: null })
      expect(await the.send(request)).toMatchObject({ status: REFUSAL })
      await the.expectStored(null)
    }),
    must('4.1.3', 'does not complete a creation that goes beyond its Upload-Length', async (the) => {
      const request = creation(the.key, { complete: true, length: 700, body: content(800), announced: null })
      expect(await the.send(request)).toMatchObject({ status: REFUSAL })
      await the.expectStored(null)
    }),
    must(
      '4.1.3',
      'refuses another Upload-Length in a later request, and goes on with the first',
      async (the) => {
        const body = content(1000)
        const path = await the.begin({ length: 1000 })
        for (const length of [999, 1001]) {
          const part = { offset: 0, length, body: body.subarray(0, 100), complete: false }
          expect(await the.send(append(path, part))).toMatchObject({ status: REFUSAL })
        }
        expect([await the.offsetOf(path), await lengthOf(the, path)]).toEqual([0, '1000'])
        expect(await the.send(append(path, { offset: 0, body, complete: true }))).toMatchObject({
          status: 201,
        })
        await the.expectStored(body)
      },
    ),
    must('4.1.3', 'takes the same Upload-Length again', async (the) => {
      const body = content(1000)
      const path = await the.begin({ length: 1000 })
      const part = { offset: 0, length: 1000, body: body.subarray(0, 100), complete: false }
      expect(await the.send(append(path, part))).toMatchObject({ status: SUCCESS })
      const rest = { offset: 100, length: 1000, body: body.subarray(100), complete: true }
      expect(await the.send(append(path, rest))).toMatchObject({ status: 201 })
      await the.expectStored(body)
    }),
    must('4.4.2', 'records an Upload-Length that comes with an append', async (the) => {
      const path = await the.begin()
      await the.send(append(path, { offset: 0, length: 1000, body: content(100), complete: false }))
      expect(await lengthOf(the, path)).toBe('1000')
    }),
    must('4.4.2', 'records the length that Content-Length and ?1 tell in an append', async (the) => {
      const path = await the.begin({ body: content(100) })
      const exchange = await the.stall(path, 100, content(300), 600)
      exchange.cut()
      await the.ended(path)
      expect(await lengthOf(the, path)).toBe('1000')
    }),
    must('4.1.3', 'holds later requests to a length that an interrupted ?1 told', async (the) => {
      const path = await the.begin({ body: content(100) })
      const exchange = await the.stall(path, 100, content(300), 600)
      exchange.cut()
      await the.ended(path)
      const offset = await the.offsetOf(path)
      const answer = await the.send(append(path, { offset, body: content(599), complete: true }))
      expect(answer).toMatchObject({ status: REFUSAL })
      await the.expectStored(null)
    }),
    must('4.1.3', 'refuses an Upload-Length below what it has', async (the) => {
      const path = await the.begin({ body: content(500) })
      const answer = await the.send(
        append(path, { offset: 500, length: 400, body: NOTHING, complete: false }),
      )
      expect(answer).toMatchObject({ status: REFUSAL })
      await the.expectStored(null)
    }),
    must('4.4.2', 'refuses an append whose Content-Length goes beyond the length', async (the) => {
      const path = await the.begin({ length: 1000, body: content(900) })
      const answer = await the.send(append(path, { offset: 900, body: content(101), complete: false }))
      expect(answer).toMatchObject({ status: 400, fields: { 'upload-complete': '?0' } })
      expectProblem(answer, 400, 'inconsistent-upload-length')
      await the.expectStored(null)
    }),
    must('4.4.2', 'refuses an append that goes beyond the length unannounced', async (the) => {
      const path = await the.begin({ length: 1000, body: content(900) })
      const request = append(path, { offset: 900, body: content(101), announced: null, complete: true })
      expect(await the.send(request)).toMatchObject({ status: REFUSAL, fields: { 'upload-complete': '?0' } })
      await the.expectStored(null)
    }),
    must('4.4.2', 'has no more to do with an upload that went beyond its length', async (the) => {
      const path = await the.begin({ length: 1000, body: content(900) })
      const beyond = { offset: 900, body: content(50_000), announced: null, complete: false }
      const exchange = the.open(append(path, beyond))
      exchange.write(beyond.body)
      exchange.end()
      await exchange.outcome
      await the.expectGone(path)
      const again = await the.send(append(path, { offset: 900, body: content(100), complete: true }))
      expect(again.status).toSatisfy((status) => status === 404 || status === 410)
      await the.expectStored(null)
    }),
    must('4.1.3', 'does not complete an append (?1) that ends before the length', async (the) => {
      for (const announced of [undefined, null]) {
        const path = await the.begin({ length: 1000, body: content(500) })
        const part = { offset: 500, body: content(400), complete: true }
        const request = append(path, announced === null ? { ...part, announced } : part)
        const answer = await the.send(request)
        expect(answer).toMatchObject({ status: REFUSAL, fields: { 'upload-complete': '?0' } })
        expect((await the.send(retrieval(path))).fields['upload-complete']).not.toBe('?1')
      }
      await the.expectStored(null)
    }),
    must('4.1.3', 'does not take an upload (?0) for complete that has all of its length', async (the) => {
      const body = content(1000)
      const path = await the.begin({ length: 1000 })
      const answer = await the.send(append(path, { offset: 0, body, complete: false }))
      expect(answer).toMatchObject({ status: SUCCESS, fields: { 'upload-complete': '?0' } })
      const { fields } = await the.send(retrieval(path))
      expect(fields).toMatchObject({ 'upload-offset': '1000', 'upload-complete': '?0' })
      await the.expectStored(null)
      await the.send(append(path, { offset: 1000, body: NOTHING, complete: true }))
      await the.expectStored(body)
    }),
    must('4.1.3', 'does not take a creation (?0) for complete that has all of its length', async (the) => {
      const path = await the.begin({ length: 1000, body: content(1000) })
      expect((await the.send(retrieval(path))).fields['upload-complete']).toBe('?0')
      await the.expectStored(null)
    }),
    ours('4.1.3', 'takes a length of 0', async (the) => {
      const path = await the.begin({ length: 0 })
      expect(await the.send(append(path, { offset: 0, body: NOTHING, complete: true }))).toMatchObject({
        status: 201,
      })
      await the.expectStored(NOTHING)
    }),
  ],
}
