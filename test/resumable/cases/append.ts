import { expect } from 'vitest'
import { expectProblem, REFUSAL, SUCCESS } from '../problem.ts'
import { append, content, NOTHING, PARTIAL_UPLOAD, retrieval } from '../requests.ts'
import { must, ours, should, type Theme } from '../suite.ts'

export const APPEND: Theme = {
  name: 'append',
  cases: [
    must('4.4.2', 'answers 2xx with ?0 to an append that is not the last', async (the) => {
      const path = await the.begin()
      const answer = await the.send(append(path, { offset: 0, body: content(600), complete: false }))
      expect(answer).toMatchObject({ status: SUCCESS, fields: { 'upload-complete': '?0' } })
      await the.expectStored(null)
    }),
    ours('4.4.2', 'tells the new offset and the limits with it', async (the) => {
      const path = await the.begin()
      const answer = await the.send(append(path, { offset: 0, body: content(600), complete: false }))
      expect(answer.fields).toMatchObject({ 'upload-offset': '600', 'upload-limit': expect.any(String) })
    }),
    must('4.4.2', 'says ?1 in the answer to the last append', async (the) => {
      const path = await the.begin({ body: content(10) })
      const answer = await the.send(append(path, { offset: 10, body: content(600), complete: true }))
      expect(answer.fields['upload-complete']).toBe('?1')
    }),
    should('4.4.2', 'answers the last append as the target would the whole', async (the) => {
      const body = content(5000)
      const path = await the.begin({ body: body.subarray(0, 1000) })
      const answer = await the.send(append(path, { offset: 1000, body: body.subarray(1000), complete: true }))
      expect(answer).toMatchObject({ status: 201, fields: { location: `/videos/${the.key}` } })
      expect(JSON.parse(answer.body.toString())).toMatchObject({ key: the.key, size: 5000 })
    }),
    must('4.4.2', 'puts together what came in pieces of any size, byte by byte', async (the) => {
      const body = content(400_000)
      const path = await the.begin()
      const cuts = [0, 1, 2, 4097, 4098, 70_000, 262_144, 399_999, 400_000]
      for (const [at, offset] of cuts.slice(0, -1).entries()) {
        const piece = body.subarray(offset, cuts[at + 1])
        const complete = at === cuts.length - 2
        expect(await the.send(append(path, { offset, body: piece, complete }))).toMatchObject({
          status: SUCCESS,
        })
      }
      await the.expectStored(body)
    }),
    must('4.4.1', 'completes by an append without content', async (the) => {
      const body = content(900)
      const path = await the.begin({ body })
      const answer = await the.send(append(path, { offset: 900, body: NOTHING, complete: true }))
      expect(answer).toMatchObject({ status: 201, fields: { 'upload-complete': '?1' } })
      await the.expectStored(body)
    }),
    must('4.4.1', 'completes by an append without content or Content-Length', async (the) => {
      const body = content(900)
      const path = await the.begin({ body })
      expect(await the.send(append(path, { offset: 900, complete: true }))).toMatchObject({ status: 201 })
      await the.expectStored(body)
    }),
    must('4.4.1', 'takes an append without content that does not complete', async (the) => {
      const path = await the.begin({ body: content(900) })
      const answer = await the.send(append(path, { offset: 900, body: NOTHING, complete: false }))
      expect(answer).toMatchObject({ status: SUCCESS, fields: { 'upload-complete': '?0' } })
      expect(await the.offsetOf(path)).toBe(900)
    }),
    must('9', 'does not count the chunked coding', async (the) => {
      const body = content(70_000)
      const path = await the.begin()
      await the.send(
        append(path, { offset: 0, body: body.subarray(0, 40_000), announced: null, complete: false }),
      )
      expect(await the.offsetOf(path)).toBe(40_000)
      const rest = { offset: 40_000, body: body.subarray(40_000), announced: null, complete: true }
      expect(await the.send(append(path, rest))).toMatchObject({ status: 201 })
      await the.expectStored(body)
    }),
    must('4.4.2', 'answers 409 with ?0 and the true offset to an offset too low', async (the) => {
      const path = await the.begin({ body: content(500) })
      const answer = await the.send(append(path, { offset: 499, body: content(10), complete: false }))
      expect(answer).toMatchObject({
        status: 409,
        fields: { 'upload-offset': '500', 'upload-complete': '?0' },
      })
    }),
    must('4.4.2', 'answers 409 with ?0 and the true offset to an offset too high', async (the) => {
      const path = await the.begin({ body: content(500) })
      const answer = await the.send(append(path, { offset: 501, body: content(10), complete: true }))
      expect(answer).toMatchObject({
        status: 409,
        fields: { 'upload-offset': '500', 'upload-complete': '?0' },
      })
      await the.expectStored(null)
    }),
    must('4.4.2', 'answers 409 to a wrong offset without content too', async (the) => {
      const path = await the.begin({ body: content(500) })
      const answer = await the.send(append(path, { offset: 0, body: NOTHING, complete: true }))
      expect(answer).toMatchObject({ status: 409, fields: { 'upload-offset': '500' } })
      await the.expectStored(null)
    }),
    should('7.1', 'explains a wrong offset by the problem type, with both offsets', async (the) => {
      const path = await the.begin({ body: content(500) })
      const answer = await the.send(append(path, { offset: 7, body: content(10), complete: false }))
      const members = { 'expected-offset': 500, 'provided-offset': 7 }
      expectProblem(answer, 409, 'mismatching-upload-offset', members)
    }),
    must('4.4.2', 'takes no byte of an append at a wrong offset', async (the) => {
      const body = content(1000)
      const path = await the.begin({ body: body.subarray(0, 500) })
      for (const offset of [0, 499, 501, 5_000_000])
        await the.send(append(path, { offset, body: content(300), complete: true }))
      await the.send(append(path, { offset: 500, body: body.subarray(500), complete: true }))
      await the.expectStored(body)
    }),
    must(
      '4.4.1',
      'answers 400 with ?0 to an append without Upload-Offset, and takes nothing',
      async (the) => {
        const path = await the.begin({ body: content(500) })
        const answer = await the.send(append(path, { body: content(10), complete: false }))
        expect(answer).toMatchObject({ status: 400, fields: { 'upload-complete': '?0' } })
        expect(await the.offsetOf(path)).toBe(500)
      },
    ),
    must(
      '4.4.1',
      'answers 400 with ?0 to an append without Upload-Complete, and takes nothing',
      async (the) => {
        const path = await the.begin({ body: content(500) })
        const answer = await the.send(append(path, { offset: 500, body: content(10) }))
        expect(answer).toMatchObject({ status: 400, fields: { 'upload-complete': '?0' } })
        expect(await the.offsetOf(path)).toBe(500)
        await the.expectStored(null)
      },
    ),
    ours(
      'RFC 5789 §2.2',
      'answers 415 with Accept-Patch to another Content-Type, and takes nothing',
      async (the) => {
        const path = await the.begin()
        for (const type of ['video/mp4', 'application/offset+octet-stream', 'application/partial-uploads']) {
          const fields = { 'Content-Type': type }
          const answer = await the.send(
            append(path, { offset: 0, body: content(10), complete: true, fields }),
          )
          expect(answer).toMatchObject({ status: 415 })
          expect(answer.fields['accept-patch']).toContain(PARTIAL_UPLOAD)
        }
        expect(await the.offsetOf(path)).toBe(0)
      },
    ),
    ours('RFC 9110 §8.3.1', 'reads the Content-Type without regard to case', async (the) => {
      const path = await the.begin()
      const fields = { 'Content-Type': 'Application/Partial-Upload' }
      const answer = await the.send(append(path, { offset: 0, body: content(10), complete: true, fields }))
      expect(answer).toMatchObject({ status: 201 })
    }),
    should('4.4.2', 'keeps what came of an interrupted append', async (the) => {
      const body = content(5000)
      const path = await the.begin({ body: body.subarray(0, 1000) })
      const exchange = await the.stall(path, 1000, body.subarray(1000, 3500), 1500)
      exchange.cut()
      await the.ended(path)
      expect(await the.offsetOf(path)).toBe(3500)
      await the.send(append(path, { offset: 3500, body: body.subarray(3500), complete: true }))
      await the.expectStored(body)
    }),
    must('4.4.2', 'never takes an interrupted append for complete', async (the) => {
      const path = await the.begin()
      const exchange = await the.stall(path, 0, content(1000), 1)
      exchange.cut()
      await the.ended(path)
      const { fields } = await the.send(retrieval(path))
      expect(fields['upload-complete']).toBe('?0')
      await the.expectStored(null)
    }),
    must('4.4.2', 'never takes an interrupted append without Content-Length for complete', async (the) => {
      const path = await the.begin()
      const exchange = the.open(append(path, { offset: 0, complete: true, announced: null }))
      exchange.write(content(1000))
      await the.accepted(path, 1000)
      exchange.cut()
      await the.ended(path)
      const { fields } = await the.send(retrieval(path))
      expect(fields['upload-complete']).toBe('?0')
      await the.expectStored(null)
    }),
    must('4.4.2', 'goes on after many interruptions without a gap or a byte twice', async (the) => {
      const body = content(300_000)
      const path = await the.begin()
      for (let time = 1; time <= 5; time++) {
        const offset = await the.offsetOf(path)
        const exchange = await the.stall(
          path,
          offset,
          body.subarray(offset, time * 50_000),
          300_000 - time * 50_000,
        )
        exchange.cut()
      }
      const offset = await the.offsetOf(path)
      await the.send(append(path, { offset, body: body.subarray(offset), complete: true }))
      await the.expectStored(body)
    }),
    ours('4.4.2', 'answers 404 to an append to nothing', async (the) => {
      const answer = await the.send(
        append('/uploads/AAAAAAAAAAAAAAAAAAAAAA', { offset: 0, body: content(10), complete: true }),
      )
      expect(answer).toMatchObject({ status: 404 })
    }),
    ours('4', 'takes no content by another method on the upload resource', async (the) => {
      const path = await the.begin({ body: content(10) })
      for (const method of ['POST', 'PUT']) {
        const request = append(path, { offset: 10, body: content(10), complete: true })
        expect(await the.send({ ...request, method })).toMatchObject({ status: REFUSAL })
      }
      expect(await the.offsetOf(path)).toBe(10)
    }),
    ours('11', 'takes no notice of Incremental', async (the) => {
      const path = await the.begin()
      const fields = { Incremental: '?1' }
      const answer = await the.send(append(path, { offset: 0, body: content(10), complete: false, fields }))
      expect(answer).toMatchObject({ status: SUCCESS, fields: { 'upload-offset': '10' } })
    }),
  ],
}
