import { expect } from 'vitest'
import { content } from '../requests.ts'
import { must, ours, should, type Theme } from '../suite.ts'
import {
  checksum,
  createParts,
  createUpload,
  creation,
  expectOffset,
  head,
  named,
  options,
  patch,
  TUS,
} from '../tus-requests.ts'

const DATE = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/

const final = (paths: readonly string[], fields = {}) =>
  creation({ 'Upload-Concat': `final;${paths.join(' ')}`, ...fields })

export const TUS_EXTENSIONS: Theme = {
  name: 'tus 1.0, further extensions',
  cases: [
    must('Expiration', 'has Upload-Expires as a date in responses to POST and to PATCH', async (the) => {
      const created = await the.send(creation({ 'Upload-Length': '10', ...named(the.key) }))
      expect(created.fields['upload-expires']).toMatch(DATE)
      const appended = await the.send(patch(created.fields['location'] ?? '', 0, content(5)))
      expect(appended.fields['upload-expires']).toMatch(DATE)
      expect(Date.parse(appended.fields['upload-expires'] ?? '')).toBeGreaterThan(Date.now())
    }),
    should('Termination', 'answers DELETE with 204, and knows the upload no more', async (the) => {
      const path = await createUpload(the, 10)
      await the.send(patch(path, 0, content(5)))
      expect((await the.send({ method: 'DELETE', path, fields: TUS })).status).toBe(204)
      expect((await the.send(head(path))).status).toBe(404)
      expect((await the.send(patch(path, 5, content(5)))).status).toBe(404)
      expect((await the.send({ method: 'DELETE', path, fields: TUS })).status).toBe(404)
    }),
    must('Checksum', 'announces the algorithms, sha1 among them, in responses to OPTIONS', async (the) => {
      const algorithms = (await the.send(options())).fields['tus-checksum-algorithm']?.split(',')
      expect(algorithms).toEqual(['sha1', 'md5', 'sha256', 'sha512'])
    }),
    must('Checksum', 'answers 460 to a wrong checksum, and keeps the offset', async (the) => {
      const path = await createUpload(the, 10)
      await the.send(patch(path, 0, content(4)))
      for (const algorithm of ['sha1', 'md5', 'sha256', 'sha512']) {
        const field = { 'Upload-Checksum': checksum(algorithm, content(5)) }
        expect((await the.send(patch(path, 4, content(6), field))).status).toBe(460)
        await expectOffset(the, path, 4)
      }
      const right = content(6)
      const field = { 'Upload-Checksum': checksum('sha512', right) }
      expect((await the.send(patch(path, 4, right, field))).status).toBe(204)
    }),
    must('Checksum', 'answers 400 to an unknown algorithm, and keeps the offset', async (the) => {
      const path = await createUpload(the, 10)
      const answer = await the.send(patch(path, 0, content(10), { 'Upload-Checksum': 'crc32 AAAAAA==' }))
      expect(answer.status).toBe(400)
      await expectOffset(the, path, 0)
    }),
    must('Checksum', 'checks a checksum that follows the content as a trailer', async (the) => {
      const path = await createUpload(the, 10)
      const bytes = content(10)
      const announced = { Trailer: 'Upload-Checksum' }
      // The client of these tests sends no trailers: a trailer that is announced and missing is refused.
      const missing = await the.send({ ...patch(path, 0, bytes, announced), announced: null })
      expect(missing.status).toBe(400)
      await expectOffset(the, path, 0)
    }),
    should('Concatenation', 'shows no part before the final upload exists', async (the) => {
      await createParts(the, content(5), content(6))
      await the.expectStored(null)
    }),
    must('Concatenation', 'puts the parts together in the order of the list', async (the) => {
      const contents = [content(500), content(1), content(7000)]
      const paths = await createParts(the, ...contents)
      const order = [2, 0, 1]
      const answer = await the.send(
        final(
          order.map((at) => paths[at] ?? ''),
          named(the.key),
        ),
      )
      expect(answer).toMatchObject({ status: 201, fields: { location: paths[2] } })
      await the.expectStored(Buffer.concat(order.map((at) => contents[at] ?? Buffer.of())))
    }),
    must(
      'Concatenation',
      'has Upload-Offset equal to Upload-Length, and Upload-Concat, after the end',
      async (the) => {
        const paths = await createParts(the, content(5), content(6))
        const part = await expectOffset(the, paths[1] ?? '', 6)
        expect(part.fields['upload-concat']).toBe('partial')
        const { fields } = await the.send(final(paths, named(the.key)))
        const whole = await expectOffset(the, fields['location'] ?? '', 11)
        expect(whole.fields).toMatchObject({
          'upload-length': '11',
          'upload-concat': `final;${paths.join(' ')}`,
        })
      },
    ),
    must('Concatenation', 'answers PATCH of a final upload with 403', async (the) => {
      const paths = await createParts(the, content(5), content(6))
      const { fields } = await the.send(final(paths, named(the.key)))
      expect((await the.send(patch(fields['location'] ?? '', 11, content(1)))).status).toBe(403)
      await expectOffset(the, fields['location'] ?? '', 11)
    }),
    must('Concatenation', 'takes the metadata of the final request, not those of the parts', async (the) => {
      const fields = { 'Upload-Concat': 'partial', 'Upload-Length': '5', ...named('other') }
      const { fields: part } = await the.send(creation(fields, content(5)))
      const { fields: whole } = await the.send(final([part['location'] ?? ''], named(the.key)))
      const { 'Upload-Metadata': field } = named(the.key)
      expect((await the.send(head(whole['location'] ?? ''))).fields['upload-metadata']).toBe(field)
    }),
    must('Concatenation', 'answers a final request with Upload-Length with 400', async (the) => {
      const paths = await createParts(the, content(5), content(6))
      expect((await the.send(final(paths, { 'Upload-Length': '11', ...named(the.key) }))).status).toBe(400)
    }),
    ours(
      'Concatenation',
      'shows parts as complete after the final request, whose response may be lost',
      async (the) => {
        const contents = [content(5), content(600), content(7)]
        const paths = await createParts(the, ...contents)
        const whole = await the.send(final(paths, named(the.key)))
        // A client that resumes asks for each part, sends again what is missing, and repeats the final request.
        for (const [at, path] of paths.slice(1).entries()) {
          const size = contents[at + 1]?.length ?? 0
          const { fields } = await expectOffset(the, path, size)
          expect(fields).toMatchObject({ 'upload-length': `${size}`, 'upload-concat': 'partial' })
          expect((await the.send(patch(path, size, content(0)))).status).toBe(204)
          expect((await the.send(patch(path, 0, content(size)))).status).toBe(409)
        }
        const again = await the.send(final(paths, named(the.key)))
        expect([again.status, again.fields['location']]).toEqual([201, whole.fields['location']])
        const other = await the.send(final([...paths].reverse(), named(the.key)))
        expect(other.status).toBe(400)
        await the.expectStored(Buffer.concat(contents))
      },
    ),
    ours('Concatenation', 'asks for the right to each part', async (the) => {
      const paths = await createParts(the, content(5), content(6))
      const refused = await the.send(final(paths, { 'X-Refuse': 'concatenate', ...named(the.key) }))
      expect(refused.status).toBe(403)
      expect((await the.send(final(paths, named(the.key)))).status).toBe(201)
    }),
    ours('Concatenation', 'leaves parts to tus: to the draft, they do not exist', async (the) => {
      const [path = ''] = await createParts(the, content(5))
      const answer = await the.send({ method: 'HEAD', path: path.replace('/tus/', '/uploads/') })
      expect(answer.status).toBe(404)
    }),
  ],
}
