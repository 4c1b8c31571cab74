import { expect } from 'vitest'
import { REFUSAL, SUCCESS } from '../problem.ts'
import { append, cancellation, content, creation, NOTHING, retrieval, saysComplete } from '../requests.ts'
import { type Case, type Context, must, ours, pathOf, type Theme } from '../suite.ts'

const VERSIONS = [3, 4, 5, 6, 7, 8, 9, 10, null] as const
type Version = (typeof VERSIONS)[number]

const from = (least: number) => VERSIONS.filter((version) => version === null || version >= least)
const upTo = (most: number) => VERSIONS.filter((version) => version !== null && version <= most)

/** A case for each of `versions`. */
function each(
  versions: readonly Version[],
  make: typeof must,
  section: string,
  title: string,
  run: (the: Context, version: Version) => Promise<void>,
): readonly Case[] {
  return versions.map((version) => {
    const name = version === null ? 'without a version' : `version ${version}`
    return make(section, `${name}: ${title}`, (the) => run(the, version))
  })
}

async function beginAs(the: Context, version: Version, body: Uint8Array, length?: number): Promise<string> {
  const saying = { version, complete: false, body, ...(length === undefined ? {} : { length }) }
  const answer = await the.send(creation(the.key, saying))
  expect(answer).toMatchObject({ status: 201 })
  return pathOf(answer.fields['location'])
}

export const VERSIONED: Theme = {
  name: 'versions',
  cases: [
    ...each(VERSIONS, must, '4', 'creation, offset, appends, completion', async (the, version) => {
      const body = content(3000)
      const created = await the.send(
        creation(the.key, { version, complete: false, body: body.subarray(0, 1000) }),
      )
      expect(created).toMatchObject({ status: 201, fields: { location: expect.any(String) } })
      expect(saysComplete(version, created.fields)).toBe(false)
      const path = pathOf(created.fields['location'])
      const part = { version, offset: 1000, body: body.subarray(1000, 2000), complete: false }
      const appended = await the.send(append(path, part))
      expect(appended).toMatchObject({ status: SUCCESS, fields: { 'upload-offset': '2000' } })
      expect(saysComplete(version, appended.fields)).toBe(false)
      const seen = await the.send(retrieval(path, version))
      expect(seen).toMatchObject({ status: 204, fields: { 'upload-offset': '2000' } })
      expect(saysComplete(version, seen.fields)).toBe(false)
      const rest = { version, offset: 2000, body: body.subarray(2000), complete: true }
      const completed = await the.send(append(path, rest))
      expect(completed).toMatchObject({ status: 201 })
      expect(saysComplete(version, completed.fields)).toBe(true)
      await the.expectStored(body)
      const after = await the.send(retrieval(path, version))
      expect([after.fields['upload-offset'], saysComplete(version, after.fields)]).toEqual(['3000', true])
    }),
    ...each(VERSIONS, must, '4.2.2', 'all of it in the creation', async (the, version) => {
      const body = content(3000)
      const answer = await the.send(creation(the.key, { version, complete: true, body }))
      expect(answer).toMatchObject({ status: 201 })
      expect(saysComplete(version, answer.fields)).toBe(true)
      await the.expectStored(body)
    }),
    ...each(
      upTo(8),
      must,
      '4.4.2',
      '409 with the true offset and, but for version 3, ?0',
      async (the, version) => {
        const path = await beginAs(the, version, content(50))
        const answer = await the.send(append(path, { version, offset: 7, body: content(5), complete: true }))
        expect(answer).toMatchObject({ status: 409, fields: { 'upload-offset': '50' } })
        expect(saysComplete(version, answer.fields)).toBe(false)
      },
    ),
    ...each(
      upTo(5),
      must,
      'draft -03, 4.4',
      'takes an append of any Content-Type, and of none',
      async (the, version) => {
        const path = await beginAs(the, version, NOTHING)
        const part = { version, body: content(10), complete: false }
        expect(await the.send(append(path, { ...part, offset: 0 }))).toMatchObject({ status: SUCCESS })
        const fields = { 'Content-Type': 'video/mp4' }
        expect(await the.send(append(path, { ...part, offset: 10, fields }))).toMatchObject({
          status: SUCCESS,
        })
      },
    ),
    ...each(
      upTo(5),
      must,
      'draft -03, 4.4',
      'answers 201 to an append that is not the last',
      async (the, version) => {
        const path = await beginAs(the, version, NOTHING)
        const answer = await the.send(
          append(path, { version, offset: 0, body: content(10), complete: false }),
        )
        expect(answer.status).toBe(201)
      },
    ),
    ...each(
      upTo(4),
      must,
      'draft -02, 4.3',
      'refuses a HEAD that has upload fields',
      async (the, version) => {
        const path = await beginAs(the, version, content(10))
        const request = retrieval(path, version)
        for (const fields of [
          { 'Upload-Offset': '10' },
          { [version === 3 ? 'Upload-Incomplete' : 'Upload-Complete']: '?0' },
        ]) {
          const answer = await the.send({ ...request, fields: { ...request.fields, ...fields } })
          expect(answer.status).toBe(400)
        }
      },
    ),
    ...each(from(6), must, '6', 'wants application/partial-upload', async (the, version) => {
      const path = await beginAs(the, version, NOTHING)
      const fields = { 'Content-Type': 'application/octet-stream' }
      const answer = await the.send(
        append(path, { version, offset: 0, body: content(10), complete: true, fields }),
      )
      expect(answer).toMatchObject({ status: REFUSAL })
      await the.expectStored(null)
    }),
    ...each(
      upTo(6),
      ours,
      'draft -05, 4.4',
      'takes an append without completeness for the last',
      async (the, version) => {
        const body = content(100)
        const path = await beginAs(the, version, body.subarray(0, 50))
        const answer = await the.send(append(path, { version, offset: 50, body: body.subarray(50) }))
        expect(answer).toMatchObject({ status: 201 })
        await the.expectStored(body)
      },
    ),
    ...each(from(7), must, '4.4.1', 'refuses an append without completeness', async (the, version) => {
      const path = await beginAs(the, version, content(50))
      const answer = await the.send(append(path, { version, offset: 50, body: content(50) }))
      expect(answer).toMatchObject({ status: 400, fields: { 'upload-complete': '?0' } })
      await the.expectStored(null)
    }),
    ...each(
      [5, 6],
      ours,
      '4.1.2',
      'completes by the length, as tus-js-client does it',
      async (the, version) => {
        const body = content(300)
        const path = await beginAs(the, version, NOTHING, 300)
        for (let offset = 0; offset < 300; offset += 100) {
          const piece = body.subarray(offset, offset + 100)
          const answer = await the.send(append(path, { version, offset, body: piece, complete: false }))
          expect(answer).toMatchObject({ status: SUCCESS, fields: { 'upload-offset': String(offset + 100) } })
          expect(saysComplete(version, answer.fields)).toBe(offset === 200)
        }
        await the.expectStored(body)
      },
    ),
    ...each(
      [5, 6],
      ours,
      '4.1.2',
      'completes an empty creation of length 0, as tus-js-client does',
      async (the, version) => {
        const fields = { 'Upload-Metadata': 'filename bGVlci5tcDQ=' }
        const answer = await the.send(creation(the.key, { version, complete: false, length: 0, fields }))
        expect(answer).toMatchObject({ status: 201, fields: { location: expect.any(String) } })
        await the.expectStored(NOTHING)
      },
    ),
    ...each(
      [5, 6],
      ours,
      '4.1.2',
      'completes where the length comes last, as tus-js-client defers it',
      async (the, version) => {
        const body = content(100)
        const fields = { 'Upload-Defer-Length': '1' }
        const created = await the.send(creation(the.key, { version, complete: false, fields }))
        const path = pathOf(created.fields['location'])
        await the.send(append(path, { version, offset: 0, body, complete: false }))
        await the.expectStored(null)
        const answer = await the.send(append(path, { version, offset: 100, length: 100 }))
        expect(answer).toMatchObject({ status: SUCCESS, fields: { 'upload-offset': '100' } })
        await the.expectStored(body)
      },
    ),
    ...each(
      [5, 6],
      ours,
      '4.2.2',
      'gives the upload as Location of a creation with all in it',
      async (the, version) => {
        const answer = await the.send(creation(the.key, { version, complete: true, body: content(100) }))
        const seen = await the.send(retrieval(pathOf(answer.fields['location']), version))
        expect(seen).toMatchObject({ status: 204, fields: { 'upload-offset': '100' } })
      },
    ),
    ...each(from(7), must, '4.1.3', 'does not complete by the length alone', async (the, version) => {
      const path = await beginAs(the, version, NOTHING, 10)
      const answer = await the.send(append(path, { version, offset: 0, body: content(10), complete: false }))
      expect(saysComplete(version, answer.fields)).toBe(false)
      await the.expectStored(null)
    }),
    ...each(from(8), must, '4.2.2', 'gives Upload-Limit with the 201', async (the, version) => {
      const answer = await the.send(creation(the.key, { version, complete: false, body: NOTHING }))
      expect(answer.fields['upload-limit']).toMatch(/=\d/)
    }),
    ...each(VERSIONS, must, '4.5.2', 'cancellation answers 204', async (the, version) => {
      const path = await beginAs(the, version, content(10))
      expect(await the.send(cancellation(path, version))).toMatchObject({ status: 204 })
      await the.expectGone(path)
    }),
    must(
      'draft -01, 4.2',
      'version 3 takes no notice of Upload-Complete, and others of Upload-Incomplete',
      async (the) => {
        for (const [version, name] of [
          [3, 'Upload-Complete'],
          [9, 'Upload-Incomplete'],
        ] as const) {
          const request = creation(the.key, { version, body: content(10), fields: { [name]: '?0' } })
          expect(await the.send(request)).toMatchObject({ status: 200, fields: { 'x-plain': '10' } })
        }
      },
    ),
    ours('4.3', 'a version of another request goes on with the same upload', async (the) => {
      const body = content(200)
      const path = await beginAs(the, 6, body.subarray(0, 100))
      const seen = await the.send(retrieval(path, 3))
      expect([seen.fields['upload-offset'], saysComplete(3, seen.fields)]).toEqual(['100', false])
      const rest = { version: 9, offset: 100, body: body.subarray(100), complete: true }
      expect(await the.send(append(path, rest))).toMatchObject({ status: 201 })
      await the.expectStored(body)
    }),
  ],
}
