import { createApp, loadConfig } from 'koa-range-server'
import { createMemoryStore, StoreError, type UploadStore } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { listenOn } from '../support/app.ts'

/** The app over a store that fails to answer, as one behind a network may. */
async function startOver(failure: Error): Promise<string> {
  const get: UploadStore['get'] = async () => {
    throw failure
  }
  return listenOn(createApp(loadConfig(['--log-level', 'silent'], {}), { ...createMemoryStore(), get }))
}

describe('a store that fails', () => {
  it.each([
    [
      'a connection of its own that broke',
      Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
      500,
    ],
    ['a damaged record', new StoreError('CORRUPT', 'A record of the store is damaged: /secret/path'), 500],
    ['no space', new StoreError('NO_SPACE', 'There is no space left for the upload.'), 507],
  ])('by %s is told to the client, without paths', async (_, failure, status) => {
    const response = await fetch(`${await startOver(failure)}/videos/a`)
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(await response.text()).not.toMatch(/secret|ECONNRESET/)
  })
})
