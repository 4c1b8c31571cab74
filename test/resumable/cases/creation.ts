import { expect } from 'vitest'
import { SUCCESS } from '../problem.ts'
import { append, cancellation, content, creation, NOTHING, retrieval } from '../requests.ts'
import { must, ours, pathOf, should, type Theme } from '../suite.ts'

export const CREATION: Theme = {
  name: 'creation',
  cases: [
    must('4.2.2', 'answers as the target when all came with ?1, and publishes it', async (the) => {
      const body = content(5000)
      const answer = await the.send(creation(the.key, { complete: true, body }))
      expect(answer).toMatchObject({ status: 201, fields: { 'upload-complete': '?1' } })
      expect(JSON.parse(answer.body.toString())).toMatchObject({ key: the.key, size: 5000 })
      await the.expectStored(body)
    }),
    must('4.2.2', 'creates by PUT as by POST', async (the) => {
      const body = content(5000)
      const path = await the.begin({ method: 'PUT', body: body.subarray(0, 2000) })
      await the.send(append(path, { offset: 2000, body: body.subarray(2000), complete: true }))
      await the.expectStored(body)
    }),
    must('4.2.2', 'gives Location and Upload-Limit when all came with ?0', async (the) => {
      const answer = await the.send(creation(the.key, { complete: false, body: content(100) }))
      expect(answer.fields).toMatchObject({
        location: expect.any(String),
        'upload-limit': expect.any(String),
      })
      await the.expectStored(null)
    }),
    should('4.2.2', 'answers 201 to ?0', async (the) => {
      const answer = await the.send(creation(the.key, { complete: false, body: content(100) }))
      expect(answer.status).toBe(201)
    }),
    should('4.2.2', 'says ?0 of an upload that goes on', async (the) => {
      const answer = await the.send(creation(the.key, { complete: false, body: content(100) }))
      expect(answer.fields['upload-complete']).toBe('?0')
    }),
    ours('4.2.2', 'tells in the 201 how much it has', async (the) => {
      const answer = await the.send(creation(the.key, { complete: false, body: content(100) }))
      expect(answer.fields['upload-offset']).toBe('100')
    }),
    must('4.2.2', 'gives the same Location in all interim and final responses to ?0', async (the) => {
      const answer = await the.send(creation(the.key, { complete: false, body: content(100) }))
      const told = answer.interims.map(({ fields }) => fields['location']).filter((one) => one !== undefined)
      expect(told.length).toBeGreaterThan(0)
      expect(new Set([...told, answer.fields['location']]).size).toBe(1)
    }),
    must('4.2.1', 'creates without content (?0) and goes on from 0', async (the) => {
      const answer = await the.send(creation(the.key, { complete: false, body: NOTHING }))
      expect(answer).toMatchObject({ status: 201, fields: { 'upload-complete': '?0' } })
      expect(await the.offsetOf(pathOf(answer.fields['location']))).toBe(0)
    }),
    must('4.2.1', 'creates without any Content-Length or content (?0)', async (the) => {
      const answer = await the.send(creation(the.key, { complete: false }))
      expect(await the.offsetOf(pathOf(answer.fields['location']))).toBe(0)
    }),
    must('4.2.1', 'takes an empty representation (?1)', async (the) => {
      const answer = await the.send(creation(the.key, { complete: true, body: NOTHING }))
      expect(answer).toMatchObject({ status: 201, fields: { 'upload-complete': '?1' } })
      await the.expectStored(NOTHING)
    }),
    must('4.2.2', 'takes content without Content-Length (?1)', async (the) => {
      const body = content(70_000)
      const answer = await the.send(creation(the.key, { complete: true, body, announced: null }))
      expect(answer).toMatchObject({ status: 201, fields: { 'upload-complete': '?1' } })
      await the.expectStored(body)
    }),
    must('4.2.2', 'takes content without Content-Length (?0)', async (the) => {
      const body = content(70_000)
      const path = await the.begin({ body, announced: null })
      expect(await the.offsetOf(path)).toBe(70_000)
    }),
    should('4.2.2', 'keeps what came of an interrupted creation (?0)', async (the) => {
      const { path } = await interrupted(the, false)
      expect(await the.offsetOf(path)).toBe(3000)
    }),
    should('4.2.2', 'keeps what came of an interrupted creation (?1)', async (the) => {
      const { path, body } = await interrupted(the, true)
      expect(await the.offsetOf(path)).toBe(3000)
      const answer = await the.send(append(path, { offset: 3000, body: body.subarray(3000), complete: true }))
      expect(answer).toMatchObject({ status: 201, fields: { 'upload-complete': '?1' } })
      await the.expectStored(body)
    }),
    must('4.2.2', 'never takes an interrupted creation for complete', async (the) => {
      const { path } = await interrupted(the, true)
      const { fields } = await the.send(retrieval(path))
      expect(fields['upload-complete']).toBe('?0')
      await the.expectStored(null)
    }),
    must('4.2.2', 'never takes an interrupted creation without Content-Length for complete', async (the) => {
      const { path } = await interrupted(the, true, null)
      const { fields } = await the.send(retrieval(path))
      expect(fields['upload-complete']).toBe('?0')
      await the.expectStored(null)
    }),
    must('4.2.2', 'records the length that Content-Length and ?1 tell', async (the) => {
      const { path } = await interrupted(the, true)
      const { fields } = await the.send(retrieval(path))
      expect(fields['upload-length']).toBe('5000')
    }),
    must('4.2.2', 'records the length that Upload-Length tells', async (the) => {
      const path = await the.begin({ length: 5000 })
      const { fields } = await the.send(retrieval(path))
      expect(fields['upload-length']).toBe('5000')
    }),
    should('4', 'gives each upload a resource of its own, and none again', async (the) => {
      const paths = []
      for (let at = 0; at < 8; at++) {
        const path = await the.begin()
        paths.push(path)
        if (at % 2 === 0) await the.send(cancellation(path))
      }
      expect(new Set(paths).size).toBe(8)
    }),
    should('13', 'makes the URI hard to guess', async (the) => {
      const path = await the.begin()
      expect(path.slice(path.lastIndexOf('/') + 1)).toMatch(/^[\w-]{22,}$/)
    }),
    must('13', 'leaks nothing internal by the URI: no key, no directory, no process', async (the) => {
      const path = await the.begin()
      expect(path).not.toContain(the.key.slice(0, 8))
      expect(path.split('/')).toHaveLength(3)
      expect(path).not.toMatch(/tmp|pid|%|\.\./)
    }),
    ours('4.2.1', 'takes the Content-Type for that of the representation', async (the) => {
      const fields = { 'Content-Type': 'video/mp4' }
      const path = await the.begin({ fields })
      await the.send(append(path, { offset: 0, body: content(10), complete: true }))
      expect(await the.store.get(the.key)).toMatchObject({ type: 'video/mp4' })
    }),
    must('4.2.2', 'leaves a request without Upload-Complete to the target', async (the) => {
      const answer = await the.send(creation(the.key, { body: content(300) }))
      expect(answer).toMatchObject({ status: 200, interims: [], fields: { 'x-plain': '300' } })
      expect(answer.fields['upload-complete']).toBeUndefined()
    }),
    ours('4.2.2', 'leaves to others what no target is for', async (the) => {
      const answer = await the.send({
        ...creation(the.key, { complete: false, body: content(10) }),
        path: '/elsewhere',
      })
      expect(answer).toMatchObject({ status: 404, interims: [] })
    }),
    ours('11', 'takes no notice of Incremental', async (the) => {
      const path = await the.begin({ body: content(10), fields: { Incremental: '?1' } })
      expect(await the.offsetOf(path)).toBe(10)
    }),
    must('8', 'counts megabytes exactly', async (the) => {
      const body = content(3_000_001)
      const path = await the.begin({ body: body.subarray(0, 1_500_001) })
      expect(await the.offsetOf(path)).toBe(1_500_001)
      const rest = { offset: 1_500_001, body: body.subarray(1_500_001), complete: true }
      expect(await the.send(append(path, rest))).toMatchObject({ status: SUCCESS })
      await the.expectStored(body)
    }),
  ],
}

type The = Parameters<Theme['cases'][number]['run']>[0]

/** A creation of 5000 bytes of which 3000 come. */
async function interrupted(the: The, complete: boolean, announced: number | null = 5000) {
  const body = content(5000)
  const exchange = the.open(creation(the.key, { complete, announced }))
  const told = await exchange.interim(({ status, fields }) => status === 104 && 'location' in fields)
  expect(told, 'a 104 with Location').not.toBeNull()
  const path = pathOf(told?.fields['location'])
  exchange.write(body.subarray(0, 3000))
  await the.accepted(path, 3000)
  exchange.cut()
  await the.ended(path)
  return { path, body }
}
