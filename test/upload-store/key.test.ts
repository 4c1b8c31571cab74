import fc from 'fast-check'
import { createMemoryStore, numberedKey, sanitizeKey } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { source } from './contract.ts'

const NAME = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc
    .array(fc.constantFrom('..', '/', '\\', '.', ' ', 'con', '.mp4', '\0', '\u202e', 'é', '歌', '\ud800'))
    .map((parts) => parts.join('')),
)

describe('sanitizeKey', () => {
  it.each([
    ['clip.mp4', 'clip.mp4'],
    ['../../evil.mp4', 'evil.mp4'],
    ['C:\\videos\\clip.mp4', 'clip.mp4'],
    ['a\0b', 'ab'],
    ['a\r\nb".mp4', 'ab".mp4'],
    ['видео 歌.mp4', 'видео 歌.mp4'],
    ['a b+&#?%.mp4', 'a b+&#?%.mp4'],
    ['gpj\u202e4pm.exe', 'gpj4pm.exe'],
    ['cafe\u0301.mp4', 'café.mp4'],
    ['CON.mp4', '_CON.mp4'],
    ['console.mp4', 'console.mp4'],
    ['name. . ', 'name'],
    ['..', 'video'],
    ['/', 'video'],
    ['', 'video'],
    [`${'x'.repeat(300)}.mp4`, `${'x'.repeat(251)}.mp4`],
    [`${'歌'.repeat(100)}.mp4`, `${'歌'.repeat(83)}.mp4`],
  ])('makes of %j the key %j', (name, key) => {
    expect(sanitizeKey(name)).toBe(key)
  })

  it('takes a name of 400,000 spaces in its stride', () => {
    expect(sanitizeKey(`x${' '.repeat(400_000)}x`)).toMatch(/^x +$|^x$/)
  })

  it('makes a key of any string, and leaves a key that it made alone', async () => {
    const store = createMemoryStore()
    await fc.assert(
      fc.asyncProperty(NAME, async (name) => {
        const key = sanitizeKey(name)
        expect(sanitizeKey(key)).toBe(key)
        await store.put(key, source('x'))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('numberedKey', () => {
  it.each([
    ['clip.mp4', 2, 'clip-2.mp4'],
    ['clip', 3, 'clip-3'],
    ['.mp4', 2, '.mp4-2'],
    ['a.tar.gz', 2, 'a.tar-2.gz'],
  ])('numbers %j as object %i: %j', (key, number, expected) => {
    expect(numberedKey(key, number)).toBe(expected)
  })

  it('stays a key however long the name is', async () => {
    const store = createMemoryStore()
    await fc.assert(
      fc.asyncProperty(NAME, fc.integer({ min: 2, max: 1e6 }), async (name, number) => {
        const key = numberedKey(sanitizeKey(name), number)
        expect(key).toContain(`-${number}`)
        await store.put(key, source('x'))
      }),
    )
  })
})
