import { describe, expect, it } from 'vitest'
import { exchange } from '../support/raw.ts'
import { startUploads, storeOf } from './client.ts'

const creation = (version: string, more: string): string =>
  `POST /files/a HTTP/${version}\r\nHost: 127.0.0.1\r\nUpload-Draft-Interop-Version: 8\r\nUpload-Complete: ?1\r\n${more}Content-Length: 5\r\nConnection: close\r\n\r\nhello`

describe('interim responses', () => {
  it.each(['1.0', '2.0'])('are not sent to a client that writes HTTP/%s', async (version) => {
    const url = await startUploads(await storeOf('memory'))
    const answer = await exchange(url, creation(version, 'Expect: 100-continue\r\n'))
    expect(answer).toMatch(/^HTTP\/1\.1 201 /)
  })

  it('are sent to a client of HTTP/1.1: 100 if it expects one, and 104', async () => {
    const url = await startUploads(await storeOf('memory'))
    const answer = await exchange(url, creation('1.1', 'Expect: 100-continue\r\n'))
    const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)
    expect(new Set(statuses)).toEqual(new Set(['100', '104', '201']))
  })
})
