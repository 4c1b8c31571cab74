import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Fields } from '../exchange.ts'
import { expectProblem, REFUSAL, SUCCESS } from '../problem.ts'
import { append, content, creation, NOTHING, retrieval, versionField } from '../requests.ts'
import { type Context, must, ours, should, type Theme } from '../suite.ts'

/** Short enough to wait for, in ms. */
const EXPIRE_AFTER = 1500

const LIMITS = { maxSize: 10_000, maxAppendSize: 4000, minAppendSize: 100, expireAfter: 3_600_000 }

/** The members of Upload-Limit. */
function limitsIn(fields: Fields): Record<string, number> {
  const members = (fields['upload-limit'] ?? '').split(', ').filter((member) => member !== '')
  return Object.fromEntries(
    members.map((member) => {
      const [name = '', value] = member.split('=')
      return [name, Number(value)]
    }),
  )
}

const ALL = {
  'max-size': 10_000,
  'max-append-size': 4000,
  'min-append-size': 100,
  'max-age': expect.toSatisfy((age: number) => age > 3500 && age <= 3600),
}

async function announce(the: Context, version: number | null = 9) {
  return the.send({ method: 'OPTIONS', path: `/videos/${the.key}`, fields: versionField(version) })
}

export const NO_LIMITS: Theme = {
  name: 'limits, where none is set',
  cases: [
    must('4.1.4', 'answers OPTIONS with an Upload-Limit that is not empty', async (the) => {
      const answer = await announce(the)
      expect(answer).toMatchObject({ status: SUCCESS })
      expect(answer.fields['upload-limit']).toMatch(/=\d/)
    }),
    must('draft -11, 4.1.4', 'answers OPTIONS with Accept-Patch', async (the) => {
      const { fields } = await announce(the, 8)
      expect(fields['accept-patch']).toContain('application/partial-upload')
    }),
    ours('4.1.4', 'answers OPTIONS without a version too', async (the) => {
      expect((await announce(the, null)).fields['upload-limit']).toMatch(/=\d/)
    }),
    ours('4.1.4', 'refuses a length that no disk has before it takes a byte', async (the) => {
      const request = creation(the.key, { complete: false, length: 999_999_999_999_999, body: content(10) })
      const { status } = await the.send(request)
      expect([413, 507]).toContain(status)
    }),
  ],
}

export const LIMITED: Theme = {
  name: 'limits',
  options: LIMITS,
  cases: [
    must('4.1.4', 'tells all limits in the answer to OPTIONS', async (the) => {
      expect(limitsIn((await announce(the)).fields)).toMatchObject({ ...ALL, 'max-age': expect.any(Number) })
    }),
    must('4.2.2', 'tells all limits in the answer to ?0', async (the) => {
      const { fields } = await the.send(creation(the.key, { complete: false, body: NOTHING }))
      expect(limitsIn(fields)).toMatchObject(ALL)
    }),
    must('4.2.2', 'tells all limits in the 104 with the Location', async (the) => {
      const { interims } = await the.send(creation(the.key, { complete: true, body: content(100) }))
      const told = interims.find(({ fields }) => 'location' in fields)
      expect(limitsIn(told?.fields ?? {})).toMatchObject(ALL)
    }),
    must('4.3.2', 'tells all limits in the answer to HEAD', async (the) => {
      expect(limitsIn((await the.send(retrieval(await the.begin()))).fields)).toMatchObject(ALL)
    }),
    should('4.1.4', 'announces by OPTIONS no less than holds later', async (the) => {
      const announced = limitsIn((await announce(the)).fields)
      const later = limitsIn((await the.send(retrieval(await the.begin()))).fields)
      expect({ ...announced, 'max-age': 0 }).toMatchObject({ ...later, 'max-age': 0 })
    }),
    should('4.1.4', 'does not make limits narrower while an upload goes on', async (the) => {
      const path = await the.begin()
      const before = limitsIn((await the.send(retrieval(path))).fields)
      await the.send(append(path, { offset: 0, body: content(200), complete: false }))
      const after = limitsIn((await the.send(retrieval(path))).fields)
      expect({ ...after, 'max-age': 0 }).toEqual({ ...before, 'max-age': 0 })
    }),
    should('4.1.4', 'does not move the end of life to an earlier time', async (the) => {
      const path = await the.begin()
      let end = 0
      for (let offset = 0; offset < 600; offset += 200) {
        const { fields } = await the.send(retrieval(path))
        const next = Date.now() / 1000 + (limitsIn(fields)['max-age'] ?? 0)
        // It counts in whole seconds.
        expect(next).toBeGreaterThan(end - 1.1)
        end = next
        await delay(700)
        await the.send(append(path, { offset, body: content(200), complete: false }))
      }
    }),
    should('4.1.4', 'refuses a length above max-size by 413 with all limits', async (the) => {
      const answer = await the.send(creation(the.key, { complete: false, length: 10_001, body: NOTHING }))
      expect(answer).toMatchObject({ status: 413 })
      expect(limitsIn(answer.fields)).toMatchObject({ ...ALL, 'max-age': expect.any(Number) })
    }),
    must('draft -11, 4.1.4', 'gives version 8 the limits with a 413', async (the) => {
      const request = creation(the.key, { version: 8, complete: true, body: content(10_001) })
      const answer = await the.send(request)
      expect(answer).toMatchObject({ status: 413 })
      expect(limitsIn(answer.fields)).toMatchObject({ 'max-size': 10_000 })
    }),
    ours('4.2.2', 'offers no upload to whom it refuses so', async (the) => {
      const answer = await the.send(creation(the.key, { complete: false, length: 10_001, body: NOTHING }))
      expect(answer.fields['location']).toBeUndefined()
      expect(answer.interims.filter(({ status }) => status === 104)).toEqual([])
    }),
    should('4.1.4', 'refuses a creation that grows above max-size unannounced', async (the) => {
      const request = creation(the.key, { complete: true, body: content(10_001), announced: null })
      const answer = await the.send(request)
      expect(answer).toMatchObject({ status: 413 })
      expect(limitsIn(answer.fields)).toMatchObject({ 'max-size': 10_000 })
      await the.expectStored(null)
    }),
    ours('4.1.4', 'takes an upload of max-size', async (the) => {
      const body = content(10_000)
      const path = await the.begin({ length: 10_000 })
      for (let offset = 0; offset < 10_000; offset += 4000) {
        const piece = body.subarray(offset, offset + 4000)
        await the.send(append(path, { offset, body: piece, complete: offset + piece.length === 10_000 }))
      }
      await the.expectStored(body)
    }),
    should('4.1.4', 'refuses an append that grows the upload above max-size by 413', async (the) => {
      const path = await the.begin()
      for (let offset = 0; offset < 8000; offset += 4000)
        await the.send(append(path, { offset, body: content(4000), complete: false }))
      const answer = await the.send(append(path, { offset: 8000, body: content(2001), complete: false }))
      expect(answer).toMatchObject({ status: 413, fields: { 'upload-limit': expect.any(String) } })
      await the.expectStored(null)
    }),
    should('4.1.4', 'refuses an append above max-append-size by 413 with all limits', async (the) => {
      const path = await the.begin()
      const answer = await the.send(append(path, { offset: 0, body: content(4001), complete: false }))
      expect(answer).toMatchObject({ status: 413, fields: { 'upload-complete': '?0' } })
      expect(limitsIn(answer.fields)).toMatchObject(ALL)
      expect(await the.offsetOf(path)).toBe(0)
    }),
    must('4.6', 'stays exact when an append grows above max-append-size unannounced', async (the) => {
      const path = await the.begin()
      const body = content(4600)
      const request = append(path, {
        offset: 0,
        body: body.subarray(0, 4100),
        announced: null,
        complete: true,
      })
      expect(await the.send(request)).toMatchObject({ status: 413, fields: { 'upload-complete': '?0' } })
      await the.expectStored(null)
      const offset = await the.offsetOf(path)
      expect(offset).toBeLessThanOrEqual(4100)
      let at = offset
      while (at < body.length) {
        const piece = body.subarray(at, at + 3000)
        await the.send(append(path, { offset: at, body: piece, complete: at + piece.length === body.length }))
        at += piece.length
      }
      await the.expectStored(body)
    }),
    ours('4.1.4', 'refuses an append below min-append-size that is not the last', async (the) => {
      const path = await the.begin()
      const answer = await the.send(append(path, { offset: 0, body: content(99), complete: false }))
      expect(answer).toMatchObject({ status: REFUSAL, fields: { 'upload-complete': '?0' } })
      expect(await the.offsetOf(path)).toBe(0)
    }),
    should('4.1.4', 'tells all limits when it refuses so', async (the) => {
      const path = await the.begin()
      const { fields } = await the.send(append(path, { offset: 0, body: content(99), complete: false }))
      expect(limitsIn(fields)).toMatchObject(ALL)
    }),
    must('4.1.4', 'does not apply min-append-size to an empty creation and the last append', async (the) => {
      const path = await the.begin()
      const answer = await the.send(append(path, { offset: 0, body: content(5), complete: true }))
      expect(answer).toMatchObject({ status: 201, fields: { 'upload-complete': '?1' } })
    }),
    must('4.1.4', 'tells version 6 the end of life as expires, later ones as max-age', async (the) => {
      const path = await the.begin()
      for (const version of [6, 7, 8, 9, 10, null]) {
        const names = Object.keys(limitsIn((await the.send(retrieval(path, version))).fields))
        expect([version, names.includes('expires'), names.includes('max-age')]).toEqual([
          version,
          version === 6,
          version !== 6,
        ])
      }
    }),
    ours('RFC 9457 §3', 'explains a 413 by a problem', async (the) => {
      const answer = await the.send(creation(the.key, { complete: false, length: 10_001, body: NOTHING }))
      expect(answer.fields['content-type']).toMatch(/^application\/problem\+json/)
    }),
    ours('7.3', 'explains an inconsistent length before it minds the limits of an append', async (the) => {
      const path = await the.begin({ length: 500 })
      const answer = await the.send(append(path, { offset: 0, body: content(600), complete: true }))
      expectProblem(answer, 400, 'inconsistent-upload-length')
    }),
  ],
}

export const EXPIRY: Theme = {
  name: 'expiry',
  options: { expireAfter: EXPIRE_AFTER },
  cases: [
    ours('4.1.4', 'forgets an upload that nobody goes on with, and its bytes', async (the) => {
      const path = await the.begin({ body: content(100) })
      await delay(2000)
      await the.store.sweep()
      await the.expectGone(path)
      const answer = await the.send(append(path, { offset: 100, body: content(10), complete: true }))
      expect(answer).toMatchObject({ status: REFUSAL })
      await the.expectStored(null)
    }),
    should('4.1.4', 'keeps an upload as long as max-age says, counted from the last append', async (the) => {
      // A busy machine may take longer than `expireAfter` between two appends, and the upload has expired then.
      for (let isInTime = false; !isInTime; ) {
        const path = await the.begin()
        const statuses: number[] = []
        let longest = 0
        // Longer than `expireAfter` in all.
        for (let offset = 0; offset < 300; offset += 100) {
          const start = performance.now()
          await delay(600)
          await the.store.sweep()
          const answer = await the.send(append(path, { offset, body: content(100), complete: false }))
          statuses.push(answer.status)
          longest = Math.max(longest, performance.now() - start)
        }
        isInTime = longest < 0.8 * EXPIRE_AFTER
        if (!isInTime) continue
        expect(statuses).toEqual([SUCCESS, SUCCESS, SUCCESS])
        expect(await the.offsetOf(path)).toBe(300)
      }
    }),
    should('draft -11, 4', 'keeps a complete upload for a time, and its object for good', async (the) => {
      const body = content(100)
      const path = await the.uploaded(body)
      await delay(500)
      await the.store.sweep()
      expect((await the.send(retrieval(path))).fields['upload-complete']).toBe('?1')
      await delay(2000)
      await the.store.sweep()
      await the.expectGone(path)
      await the.expectStored(body)
    }),
  ],
}
