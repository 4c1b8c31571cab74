import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import { expectProblem, REFUSAL } from '../problem.ts'
import { append, content, creation, NOTHING, retrieval } from '../requests.ts'
import { must, ours, should, type Theme } from '../suite.ts'

function digestOf(body: Uint8Array, algorithm: 'sha-256' | 'sha-512' = 'sha-256'): string {
  return `${algorithm}=:${createHash(algorithm.replace('-', '')).update(body).digest('base64')}:`
}

export const DIGESTS: Theme = {
  name: 'digests',
  cases: [
    should('draft -11, 10.2', 'takes an append whose Content-Digest is right', async (the) => {
      const body = content(5000)
      const path = await the.begin({ body: body.subarray(0, 1000) })
      const rest = body.subarray(1000)
      const fields = { 'Content-Digest': digestOf(rest) }
      const answer = await the.send(append(path, { offset: 1000, body: rest, complete: true, fields }))
      expect(answer).toMatchObject({ status: 201, fields: { 'upload-complete': '?1' } })
      await the.expectStored(body)
    }),
    should('draft -11, 10.2', 'appends nothing whose Content-Digest is wrong, and says so', async (the) => {
      for (const [size, announced] of [
        [500, undefined],
        [500_000, undefined],
        [500_000, null],
      ] as const) {
        const body = content(1000 + size)
        const path = await the.begin({ body: body.subarray(0, 1000) })
        const rest = body.subarray(1000)
        const wrong = {
          offset: 1000,
          body: rest,
          complete: true,
          fields: { 'Content-Digest': digestOf(body) },
        }
        const answer = await the.send(append(path, announced === null ? { ...wrong, announced } : wrong))
        expect(answer).toMatchObject({ status: REFUSAL, fields: { 'upload-complete': '?0' } })
        expect(await the.offsetOf(path)).toBe(1000)
        await the.expectStored(null)
        const fields = { 'Content-Digest': digestOf(rest) }
        await the.send(append(path, { offset: 1000, body: rest, complete: true, fields }))
        await the.expectStored(body)
        await the.store.delete(the.key)
      }
    }),
    ours('RFC 9530 §2', 'explains a wrong Content-Digest by a problem and the offset', async (the) => {
      const path = await the.begin({ body: content(1000) })
      const fields = { 'Content-Digest': digestOf(content(9)) }
      const answer = await the.send(
        append(path, { offset: 1000, body: content(10), complete: false, fields }),
      )
      expectProblem(answer, 400, 'digest-mismatched-values')
      expect(answer.fields['upload-offset']).toBe('1000')
    }),
    should('draft -11, 10.2', 'checks a Content-Digest by sha-512 too', async (the) => {
      const path = await the.begin()
      const [good, bad] = [content(10), content(10)]
      const wrong = { 'Content-Digest': digestOf(bad, 'sha-512') }
      const refused = await the.send(append(path, { offset: 0, body: good, complete: false, fields: wrong }))
      expect(refused).toMatchObject({ status: REFUSAL })
      const fields = { 'Content-Digest': digestOf(good, 'sha-512') }
      expect(await the.send(append(path, { offset: 0, body: good, complete: true, fields }))).toMatchObject({
        status: 201,
      })
    }),
    must('RFC 9530 §2', 'takes no notice of an algorithm that it does not know', async (the) => {
      const path = await the.begin()
      const fields = { 'Content-Digest': 'unheard-of=:AAAA:' }
      const answer = await the.send(append(path, { offset: 0, body: content(10), complete: true, fields }))
      expect(answer).toMatchObject({ status: 201 })
    }),
    should('draft -11, 10.2', 'refuses a creation whose Content-Digest is wrong', async (the) => {
      const fields = { 'Content-Digest': digestOf(content(9)) }
      const answer = await the.send(creation(the.key, { complete: true, body: content(10), fields }))
      expect(answer).toMatchObject({ status: REFUSAL })
      await the.expectStored(null)
    }),
    ours('draft -11, 10.2', 'goes on after an append with a Content-Digest was interrupted', async (the) => {
      const body = content(5000)
      const path = await the.begin()
      const fields = { 'Content-Digest': digestOf(body) }
      const exchange = the.open(append(path, { offset: 0, complete: true, announced: 5000, fields }))
      exchange.write(body.subarray(0, 3000))
      await the.accepted(path, 3000)
      exchange.cut()
      await the.ended(path)
      const offset = await the.offsetOf(path)
      expect(offset).toBeLessThanOrEqual(3000)
      await the.send(append(path, { offset, body: body.subarray(offset), complete: true }))
      await the.expectStored(body)
    }),
    should('draft -11, 10.1', 'publishes what has the Repr-Digest of the creation', async (the) => {
      const body = content(5000)
      const fields = { 'Repr-Digest': digestOf(body) }
      const path = await the.begin({ body: body.subarray(0, 1000), fields })
      const answer = await the.send(append(path, { offset: 1000, body: body.subarray(1000), complete: true }))
      expect(answer).toMatchObject({ status: 201 })
      await the.expectStored(body)
    }),
    should('draft -11, 10.1', 'does not publish what has another, and says so', async (the) => {
      const fields = { 'Repr-Digest': digestOf(content(9)) }
      const path = await the.begin({ body: content(1000), fields })
      const answer = await the.send(append(path, { offset: 1000, body: content(500), complete: true }))
      expect(answer).toMatchObject({ status: REFUSAL })
      await the.expectStored(null)
    }),
    must('4.4.2', 'says ?1 then, as the target has refused the whole', async (the) => {
      const fields = { 'Repr-Digest': digestOf(content(9)) }
      const path = await the.begin({ body: content(1000), fields })
      const answer = await the.send(append(path, { offset: 1000, body: content(500), complete: true }))
      expect(answer.fields['upload-complete']).toBe('?1')
    }),
    should('draft -11, 10.1', 'does not publish what has another in one creation', async (the) => {
      const fields = { 'Repr-Digest': digestOf(content(9)) }
      const answer = await the.send(creation(the.key, { complete: true, body: content(100), fields }))
      expect(answer).toMatchObject({ status: REFUSAL })
      await the.expectStored(null)
    }),
    should('draft -11, 10.1', 'gives the Repr-Digest of the whole to who wants it', async (the) => {
      const body = content(5000)
      const path = await the.begin({ body: body.subarray(0, 1000) })
      const fields = { 'Want-Repr-Digest': 'sha-256=10' }
      const rest = { offset: 1000, body: body.subarray(1000), complete: true, fields }
      expect((await the.send(append(path, rest))).fields['repr-digest']).toBe(digestOf(body))
    }),
    ours('draft -11, 10.2', 'checks a Content-Digest without content', async (the) => {
      const path = await the.begin({ body: content(10) })
      const wrong = { 'Content-Digest': digestOf(content(9)) }
      const refused = await the.send(
        append(path, { offset: 10, body: NOTHING, complete: true, fields: wrong }),
      )
      expect(refused).toMatchObject({ status: REFUSAL })
      expect((await the.send(retrieval(path))).fields['upload-complete']).toBe('?0')
    }),
  ],
}
