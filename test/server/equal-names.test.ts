import { describe, expect, it } from 'vitest'
import { formWith, startApp } from '../support/app.ts'

async function post(url: string, name: string, content: string): Promise<string> {
  const body = formWith('file', name, content)
  const response = await fetch(`${url}/video`, {
    method: 'POST',
    headers: { Accept: 'application/json' },
    body,
  })
  expect(response.status).toBe(201)
  return ((await response.json()) as { key: string }).key
}

describe('videos of one name', () => {
  it('look at the same number of keys when there are 3 and when there are 30', async () => {
    const { url, store } = await startApp()
    const asked: string[] = []
    const get = store.get.bind(store)
    store.get = (key) => {
      asked.push(key)
      return get(key)
    }
    const costs: number[] = []
    for (let number = 1; number <= 31; number++) {
      asked.length = 0
      const key = await post(url, 'clip.mp4', `content ${number}`)
      expect(key).toBe(number === 1 ? 'clip.mp4' : `clip-${number}.mp4`)
      costs.push(asked.length)
    }
    expect(costs[30]).toBe(costs[3])
  })

  it('fill the first free number, and neighbours of similar names count for nothing', async () => {
    const { url, store } = await startApp()
    for (const name of ['clip.mp4', 'clip-x.mp4', 'clip-02.mp4', 'clip-3.mov', 'clip-1.mp4', 'clip-2.5.mp4'])
      await post(url, name, name)
    expect(await post(url, 'clip.mp4', 'second')).toBe('clip-2.mp4')
    expect(await post(url, 'clip.mp4', 'third')).toBe('clip-3.mp4')
    await store.delete('clip-2.mp4')
    expect(await post(url, 'clip.mp4', 'fourth')).toBe('clip-2.mp4')
  })

  it('are stored once for each content, whatever number it has', async () => {
    const { url } = await startApp()
    for (let number = 1; number <= 5; number++) await post(url, 'clip.mp4', `content ${number}`)
    expect(await post(url, 'clip.mp4', 'content 4')).toBe('clip-4.mp4')
    expect(await post(url, 'clip.mp4', 'content 1')).toBe('clip.mp4')
  })

  it('are numbered beyond 9 although the name is as long as a key may be', async () => {
    const { url } = await startApp()
    const name = `${'é'.repeat(125)}a.mp4`
    const keys: string[] = []
    for (let number = 1; number <= 12; number++) keys.push(await post(url, name, `content ${number}`))
    expect(new Set(keys).size).toBe(12)
    expect(keys[11]).toMatch(/-12\.mp4$/)
  })
})
