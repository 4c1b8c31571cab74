import { expect } from 'vitest'
import { SUCCESS } from '../problem.ts'
import { append, content, creation, NOTHING, retrieval } from '../requests.ts'
import { type Case, must, ours, type Theme } from '../suite.ts'

/** As they are sent, lines of one field. */
type Lines = string | readonly string[]

const shown = (lines: Lines) =>
  typeof lines === 'string' ? `'${lines}'` : lines.map((one) => `'${one}'`).join(' and ')

// RFC 9651 §3.3.1: an Integer is a sign and up to 15 digits; zeros may lead; parameters may follow.
const INTEGERS: readonly string[] = ['5', '05', '005', '000000000000005', '5;a', '5; a=b', '5;a="x"']
const NO_INTEGERS: readonly Lines[] = [
  '-5',
  '5.0',
  '5.',
  '+5',
  '0x5',
  '5e0',
  '"5"',
  ':NQ==:',
  '?1',
  'five',
  '',
  '5, 6',
  '5, 5',
  '5,',
  '5 5',
  '5;',
  '(5)',
  '@5',
  '0000000000000005',
  '9999999999999999',
  ['5', '5'],
  ['5', '6'],
]

const NO_BOOLEANS: readonly Lines[] = [
  '?2',
  '?',
  '1',
  '0',
  'true',
  '?T',
  '"?1"',
  '? 1',
  '?10',
  '',
  '?1, ?1',
  '?0, ?1',
  ['?1', '?1'],
  ['?0', '?1'],
]

const offsets: readonly Case[] = [
  ...INTEGERS.map((value) =>
    must('4.1.1', `reads Upload-Offset: ${shown(value)}`, async (the) => {
      const path = await the.begin({ body: content(5) })
      const fields = { 'Upload-Offset': value }
      const answer = await the.send(append(path, { body: content(10), complete: false, fields }))
      expect(answer).toMatchObject({ status: SUCCESS, fields: { 'upload-offset': '15' } })
    }),
  ),
  ...NO_INTEGERS.map((lines) =>
    must('4.1.1', `takes Upload-Offset: ${shown(lines)} for absent`, async (the) => {
      const path = await the.begin({ body: content(5) })
      const fields = { 'Upload-Offset': lines }
      const answer = await the.send(append(path, { body: content(10), complete: true, fields }))
      expect(answer).toMatchObject({ status: 400, fields: { 'upload-complete': '?0' } })
      expect(await the.offsetOf(path)).toBe(5)
      await the.expectStored(null)
    }),
  ),
]

const completes: readonly Case[] = [
  ...['?1', '?1;a=b', '?1;a'].map((value) =>
    must('4.1.2', `reads Upload-Complete: ${shown(value)}`, async (the) => {
      const fields = { 'Upload-Complete': value }
      const answer = await the.send(creation(the.key, { body: content(10), fields }))
      expect(answer).toMatchObject({ status: 201, fields: { 'upload-complete': '?1' } })
    }),
  ),
  ...NO_BOOLEANS.map((lines) =>
    must('4.1.2', `takes a request with Upload-Complete: ${shown(lines)} for a plain one`, async (the) => {
      const fields = { 'Upload-Complete': lines }
      const answer = await the.send(creation(the.key, { body: content(10), fields }))
      expect(answer).toMatchObject({ status: 200, interims: [], fields: { 'x-plain': '10' } })
    }),
  ),
  ...['?2', 'true', ['?0', '?1']].map((lines) =>
    must('4.1.2', `takes no append with Upload-Complete: ${shown(lines)}`, async (the) => {
      const path = await the.begin({ body: content(5) })
      const fields = { 'Upload-Complete': lines }
      const answer = await the.send(append(path, { offset: 5, body: content(10), fields }))
      expect(answer).toMatchObject({ status: 400, fields: { 'upload-complete': '?0' } })
      expect(await the.offsetOf(path)).toBe(5)
    }),
  ),
]

const lengths: readonly Case[] = [
  ...INTEGERS.map((value) =>
    must('4.1.3', `reads Upload-Length: ${shown(value)}`, async (the) => {
      const path = await the.begin({ fields: { 'Upload-Length': value } })
      expect((await the.send(retrieval(path))).fields['upload-length']).toBe('5')
    }),
  ),
  ...NO_INTEGERS.map((lines) =>
    must('4.1.3', `takes Upload-Length: ${shown(lines)} for absent`, async (the) => {
      const body = content(300)
      const path = await the.begin({ fields: { 'Upload-Length': lines } })
      expect((await the.send(retrieval(path))).fields['upload-length']).toBeUndefined()
      expect(await the.send(append(path, { offset: 0, body, complete: true }))).toMatchObject({ status: 201 })
      await the.expectStored(body)
    }),
  ),
]

export const FIELDS: Theme = {
  name: 'fields',
  cases: [
    ...offsets,
    ...completes,
    ...lengths,
    ours(
      'RFC 9110 §5.5',
      'reads values with white space around them',
      async (the) => {
        const path = await the.begin({ body: content(5) })
        const fields = { 'Upload-Offset': ' \t5 \t', 'Upload-Complete': '  ?1  ' }
        const answer = await the.send(append(path, { body: NOTHING, fields }))
        expect(answer).toMatchObject({ status: 201, fields: { 'upload-complete': '?1' } })
      },
      'HTTP/1.1',
    ),
    ours('4.2.1', 'takes names of files as they come, and none for a path', async (the) => {
      const names = [
        'inline; filename="../../etc/passwd"',
        `inline; filename*=UTF-8''%00%2F`,
        'inline; filename="',
      ]
      for (const disposition of names) {
        const fields = { 'Content-Disposition': disposition }
        const answer = await the.send(creation(the.key, { complete: true, body: content(10), fields }))
        expect(answer.status).toBe(201)
      }
    }),
  ],
}
