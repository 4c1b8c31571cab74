import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { formWith, startApp } from '../support/app.ts'

describe('50 racers', () => {
  it('for one key with If-None-Match: * have one winner', async () => {
    const { url } = await startApp()
    const racers = Array.from({ length: 50 }, async (_, racer) => {
      const headers = { 'if-none-match': '*' }
      return (await fetch(`${url}/videos/a`, { method: 'PUT', body: `racer ${racer}`, headers })).status
    })
    const statuses = await Promise.all(racers)
    expect(statuses.filter((status) => status === 201)).toHaveLength(1)
    expect(statuses.filter((status) => status === 412)).toHaveLength(49)
  })

  it('that POST one name get a key each, and with one content one key', async () => {
    const { url, store } = await startApp()
    const post = async (content: string) => {
      const body = formWith('file', 'a.mp4', content)
      return (await (await fetch(`${url}/video`, { method: 'POST', body })).json()).key
    }
    const keys = await Promise.all(Array.from({ length: 50 }, (_, racer) => post(`racer ${racer}`)))
    expect(new Set(keys).size).toBe(50)
    const same = await Promise.all(Array.from({ length: 50 }, () => post('racer 0')))
    expect(new Set(same)).toEqual(new Set([keys[0]]))
    expect((await store.list({ limit: 1000 })).items).toHaveLength(50)
  })
})

describe('an upload for which --max-total-size leaves no space', () => {
  it('is 507 when all objects reach --max-total-size, and taken again after a deletion', async () => {
    const { url, store } = await startApp('--max-total-size', '1000')
    await store.put('a', Readable.from([Buffer.alloc(900)]))
    const put = (size: number) => fetch(`${url}/videos/b`, { method: 'PUT', body: Buffer.alloc(size) })
    const refused = await put(101)
    expect(refused.status).toBe(507)
    expect((await refused.json()).detail).toBe(
      'The store holds 900 of at most 1000 bytes. Delete objects, or try again later.',
    )
    expect((await put(100)).status).toBe(201)
    expect((await put(1)).status).toBe(507)
    await fetch(`${url}/videos/a`, { method: 'DELETE' })
    expect((await put(500)).status).toBe(200)
  })
})
