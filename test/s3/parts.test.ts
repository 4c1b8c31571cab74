import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { escapeKey, Names } from '../../packages/upload-store/dist/s3/context/names.js'
import { PartBudget } from '../../packages/upload-store/dist/s3/context/part-budget.js'
import { MAX_PARTS, partSize } from '../../packages/upload-store/dist/s3/staging/part-size.js'

const MEBIBYTE = 1024 ** 2
const TEBIBYTE = 1024 ** 4

describe('names of records', () => {
  const key = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 40 })
    .filter((text) => !/\p{Cs}/u.test(text))

  it('are in the order of the bytes of their keys, which can be had from them', () => {
    const names = new Names('prefix/')
    fc.assert(
      fc.property(key, key, (a, b) => {
        const order = Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)))
        const [first, second] = [escapeKey(a), escapeKey(b)]
        expect(Math.sign(Buffer.compare(Buffer.from(first), Buffer.from(second)))).toBe(order)
        expect(names.parseRecordName(names.record(a))).toBe(a)
        expect(first).toMatch(/^[\x21-\x7e]+$/)
        expect(escapeKey(a + b).startsWith(first)).toBe(true)
      }),
    )
  })

  it('fit into the 1024 bytes that S3 takes', () => {
    expect(new Names('x'.repeat(200)).record('é'.repeat(127)).length).toBeLessThanOrEqual(1024)
  })
})

describe('the length of a part', () => {
  const reach = (expected: number, least: number) => {
    let bytes = 0
    for (let index = 0; index < MAX_PARTS; index++) bytes += partSize(index, expected, least)
    return bytes
  }

  it.each([1, MEBIBYTE, 100 * 1024 ** 3, 5 * TEBIBYTE])(
    'is the same for all of %d bytes, and 10,000 do',
    (expected) => {
      const size = partSize(0, expected, 8 * MEBIBYTE)
      expect(partSize(9999, expected, 8 * MEBIBYTE)).toBe(size)
      expect(size % (256 * 1024)).toBe(0)
      expect(reach(expected, 8 * MEBIBYTE)).toBeGreaterThan(expected)
    },
  )

  it('doubles if the length of the upload is unknown: 10,000 are 484 GiB', () => {
    expect(partSize(1999, 0, 8 * MEBIBYTE)).toBe(8 * MEBIBYTE)
    expect(partSize(2000, 0, 8 * MEBIBYTE)).toBe(16 * MEBIBYTE)
    expect(Math.floor(reach(0, 8 * MEBIBYTE) / 1024 ** 3)).toBe(484)
  })
})

describe('the memory for parts', () => {
  const idle = { yield: () => {} }

  it('is given in the row in which it was asked for', async () => {
    const budget = new PartBudget(100, 50)
    const [first, second] = [await budget.take(50, idle), await budget.take(50, idle)]
    const order: string[] = []
    const take = async (size: number, name: string) => {
      const memory = await budget.take(size, idle)
      order.push(name)
      return memory
    }
    const third = take(100, 'large')
    const fourth = take(10, 'small')
    budget.give(first)
    await new Promise(setImmediate)
    expect(order).toEqual([])
    budget.give(second)
    budget.give(await third)
    budget.give(await fourth)
    expect(order).toEqual(['large', 'small'])
  })

  it('is given to an upload that wants more than the whole budget if no other upload uses it', async () => {
    const budget = new PartBudget(100, 50)
    const memory = await budget.take(50, idle)
    const large = budget.take(1000, idle)
    budget.give(memory)
    expect((await large).length).toBe(1000)
  })

  it('is reclaimed from an upload that has filled a part for two seconds, and not earlier', async () => {
    const budget = new PartBudget(50, 50)
    let asked = 0
    const memory = await budget.take(50, {
      yield: () => {
        asked++
        budget.give(memory)
      },
    })
    const began = performance.now()
    await budget.take(50, idle)
    expect(asked).toBe(1)
    expect(performance.now() - began).toBeGreaterThan(1900)
  })
})
