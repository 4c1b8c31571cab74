import { expect } from 'vitest'
import { exchange as rawExchange } from '../../support/raw.ts'
import type { Interim } from '../exchange.ts'
import { append, completeField, content, creation, NOTHING, versionField } from '../requests.ts'
import { arrival, type Case, must, ours, pathOf, should, type Theme } from '../suite.ts'

const is104 = ({ status }: Interim) => status === 104
const hasOffset = ({ status, fields }: Interim) => status === 104 && 'upload-offset' in fields

const MATCHING: readonly Case[] = [3, 4, 5, 6, 7, 8, 9, 10].map((version) =>
  must(
    'B',
    `answers a creation of version ${version} by a 104 with Location and that version`,
    async (the) => {
      const answer = await the.send(creation(the.key, { version, complete: true, body: content(100) }))
      expect(answer.interims.find(is104)?.fields).toMatchObject({
        location: expect.any(String),
        'upload-draft-interop-version': String(version),
      })
    },
  ),
)

const UNKNOWN = ['0', '1', '2', '11', '99', '-9', '9.0', '"9"', '?1', 'nine', '9, 9', '']
const SILENT: readonly Case[] = UNKNOWN.map((version) =>
  must('B', `sends no 104 to version '${version}'`, async (the) => {
    const fields = { 'Upload-Draft-Interop-Version': version }
    const answer = await the.send(
      creation(the.key, { version: null, complete: true, body: content(100), fields }),
    )
    expect(answer).toMatchObject({ status: 201, fields: { 'upload-complete': '?1' } })
    expect(answer.interims.filter(is104)).toEqual([])
  }),
)

export const INTERIM: Theme = {
  name: 'interim responses',
  cases: [
    ...MATCHING,
    ...SILENT,
    must('B', 'sends no 104 without a version, and does all the rest', async (the) => {
      const body = content(100)
      const answer = await the.send(creation(the.key, { version: null, complete: false, body }))
      expect(answer).toMatchObject({ status: 201, fields: { 'upload-complete': '?0' } })
      expect(answer.interims.filter(is104)).toEqual([])
      const last = { version: null, offset: 100, body: NOTHING, complete: true }
      expect(await the.send(append(pathOf(answer.fields['location']), last))).toMatchObject({ status: 201 })
      await the.expectStored(body)
    }),
    should('4.2.2', 'sends the 104 before any content has come', async (the) => {
      const exchange = the.open(creation(the.key, { complete: true, announced: 100 }))
      expect(await exchange.interim(is104)).toMatchObject({ fields: { location: expect.any(String) } })
      exchange.cut()
    }),
    must('4.2.2', 'gives Upload-Limit in the 104 that has the Location', async (the) => {
      for (const version of [8, 9, 10]) {
        const answer = await the.send(creation(the.key, { version, complete: true, body: NOTHING }))
        expect(answer.interims.find(is104)?.fields['upload-limit']).toMatch(/=\d/)
      }
    }),
    must('4.2.2', 'gives in the 104 a Location where the upload already is', async (the) => {
      const exchange = the.open(creation(the.key, { complete: true, announced: 100 }))
      const told = await exchange.interim(is104)
      expect(await the.offsetOf(pathOf(told?.fields['location']))).toBe(0)
    }),
    must('5', 'sends 100 (Continue) beside the 104', async (the) => {
      const fields = { Expect: '100-continue' }
      const exchange = the.open(creation(the.key, { complete: true, announced: 100, fields }))
      expect(await exchange.interim(({ status }) => status === 100)).not.toBeNull()
      expect(await exchange.interim(is104)).not.toBeNull()
      exchange.write(content(100))
      exchange.end()
      expect(await exchange.outcome).toMatchObject({ status: 201 })
      expect(exchange.interims.filter(({ status }) => status === 100)).toHaveLength(1)
    }),
    must('RFC 9110 §10.1.1', 'sends 100 (Continue) to an append', async (the) => {
      const path = await the.begin()
      const fields = { Expect: '100-continue' }
      const exchange = the.open(append(path, { offset: 0, complete: true, announced: 100, fields }))
      expect(await exchange.interim(({ status }) => status === 100)).not.toBeNull()
      exchange.write(content(100))
      exchange.end()
      expect(await exchange.outcome).toMatchObject({ status: 201 })
    }),
    should(
      'RFC 9110 §10.1.1',
      'refuses without 100 (Continue) what it can tell from the fields',
      async (the) => {
        const path = await the.begin({ body: content(10) })
        const fields = { Expect: '100-continue' }
        const exchange = the.open(append(path, { offset: 5, complete: true, announced: 100, fields }))
        expect(await exchange.outcome).toMatchObject({
          status: 409,
          fields: { 'upload-offset': '10' },
          interims: [],
        })
      },
    ),
    should('4.4.2', 'tells by 104 how far a long append has come, in durable bytes', async (the) => {
      const body = content(24_000_000)
      const path = await the.begin()
      const exchange = the.open(append(path, { offset: 0, complete: true, announced: body.length }))
      for (let at = 0; at < 20_000_000; at += 4_000_000) {
        exchange.write(body.subarray(at, at + 4_000_000))
        await arrival()
        await arrival()
      }
      const told = await exchange.interim(hasOffset)
      exchange.cut()
      const offset = Number(told?.fields['upload-offset'])
      expect(offset).toBeGreaterThan(0)
      expect(offset).toBeLessThanOrEqual(20_000_000)
      expect(await the.offsetOf(path)).toBeGreaterThanOrEqual(offset)
    }),
    must('4.4.2', 'gives no Location in the 104s of an append', async (the) => {
      const body = content(12_000_000)
      const path = await the.begin()
      const answer = await the.send(append(path, { offset: 0, body, complete: true }))
      expect(answer.status).toBe(201)
      expect(answer.interims.filter(({ fields }) => 'location' in fields)).toEqual([])
    }),
    ours(
      'RFC 9110 §15.2',
      'sends no interim response to HTTP/1.0',
      async (the) => {
        const lines = [
          `POST /videos/${the.key} HTTP/1.0`,
          ...Object.entries({ ...versionField(9), ...completeField(9, true) }).map(
            ([name, value]) => `${name}: ${value}`,
          ),
          'Content-Length: 3',
        ]
        const answer = await rawExchange(`http://127.0.0.1:${the.port}`, `${lines.join('\r\n')}\r\n\r\nabc`)
        expect(answer).toMatch(/^HTTP\/1\.1 201 /)
      },
      'HTTP/1.1',
    ),
    ours(
      'RFC 9112 §9.3',
      'keeps the connection in step after it has refused an append',
      async (the) => {
        const path = await the.begin({ body: content(10) })
        const head = (method: string, ...lines: string[]) =>
          `${[`${method} ${path} HTTP/1.1`, 'Host: x', ...lines].join('\r\n')}\r\n\r\n`
        const refused = head(
          'PATCH',
          'Content-Type: application/partial-upload',
          'Upload-Offset: 5',
          'Upload-Complete: ?0',
          'Content-Length: 50000',
        )
        const text = `${refused}${'GET / HTTP/1.1\r\n\r\n'.padEnd(50_000, 'x')}${head('HEAD', 'Connection: close')}`
        const answer = await rawExchange(`http://127.0.0.1:${the.port}`, text)
        const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)
        expect(['409', '409,204']).toContain(statuses.join(','))
      },
      'HTTP/1.1',
    ),
  ],
}
