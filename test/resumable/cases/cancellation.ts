import { expect } from 'vitest'
import { SUCCESS } from '../problem.ts'
import { append, cancellation, content } from '../requests.ts'
import { must, ours, should, type Theme } from '../suite.ts'

export const CANCELLATION: Theme = {
  name: 'cancellation',
  cases: [
    should('4.5.2', 'deactivates the upload: no offset, no append any more', async (the) => {
      const path = await the.begin({ body: content(100) })
      expect(await the.send(cancellation(path))).toMatchObject({ status: SUCCESS })
      await the.expectGone(path)
      const answer = await the.send(append(path, { offset: 100, body: content(10), complete: true }))
      expect(answer.status).toSatisfy((status) => status === 404 || status === 410)
      await the.expectStored(null)
    }),
    must('draft -08, 4.5.2', 'answers 204', async (the) => {
      for (const version of [3, 5, 6, 7, 9, null]) {
        const answer = await the.send(cancellation(await the.begin({ body: content(100) }), version))
        expect([version, answer.status]).toEqual([version, 204])
      }
    }),
    should('4.5.2', 'ends the request that goes on before it answers', async (the) => {
      const path = await the.begin()
      const stalled = await the.stall(path, 0, content(5000))
      expect(await the.send(cancellation(path))).toMatchObject({ status: 204 })
      const outcome = await stalled.outcome
      expect(outcome?.status ?? 0).not.toSatisfy((status) => status >= 200 && status < 300)
      await the.expectGone(path)
    }),
    ours('4.5.2', 'answers 404 to a second cancellation, and to one of nothing', async (the) => {
      const path = await the.begin()
      await the.send(cancellation(path))
      const nothing = '/uploads/AAAAAAAAAAAAAAAAAAAAAA'
      for (const gone of [path, nothing])
        expect((await the.send(cancellation(gone))).status).toSatisfy((code) => code === 404 || code === 410)
    }),
    ours('4.5.2', 'leaves the object of a complete upload alone', async (the) => {
      const body = content(100)
      const path = await the.uploaded(body)
      await the.send(cancellation(path))
      await the.expectStored(body)
    }),
    should('4.5.2', 'deactivates a complete upload, too', async (the) => {
      const path = await the.uploaded(content(100))
      expect(await the.send(cancellation(path))).toMatchObject({ status: SUCCESS })
      await the.expectGone(path)
    }),
    ours('4.5.2', 'leaves other uploads of the same key alone', async (the) => {
      const [one, other] = [await the.begin({ body: content(10) }), await the.begin({ body: content(20) })]
      await the.send(cancellation(one))
      expect(await the.offsetOf(other)).toBe(20)
    }),
  ],
}
