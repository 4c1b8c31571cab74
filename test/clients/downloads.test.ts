import { createHash, randomBytes } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { temporaryDirectory } from '../support/temporary.ts'
import { describeWith } from '../support/tools.ts'
import { Demo, PLACES, put } from './demo.ts'
import { run } from './run.ts'
import { tapWire } from './wire.ts'

const SIZE = 16 * 1024 * 1024 + 5
const CUT = 7_654_321
const content = randomBytes(SIZE)
const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const whole = digest(content)

let demo: Demo
let source: string

beforeAll(async () => {
  demo = await Demo.start()
  source = join(demo.directory, 'source')
  await writeFile(source, content)
})

afterAll(() => demo.stop())

/** The path of a file with the content's first bytes, as a transfer leaves it that was cut. */
async function downloaded(length: number): Promise<string> {
  const file = join(await temporaryDirectory(), 'download')
  await writeFile(file, content.subarray(0, length))
  return file
}

// The flags of each client that continues `file` from `url`. Without --fail, which makes curl 7.88 of Debian 12 fail by
// any 416 (curl#12174).
const CLIENTS = [
  ['curl', 'curl -C -', (file: string, url: string) => ['-sS', '-C', '-', '-o', file, url]],
  ['wget', 'wget -c', (file: string, url: string) => ['-nv', '--tries=1', '-c', '-O', file, url]],
] as const

for (const [program, name, flags] of CLIENTS) {
  describeWith([program], name, () => {
    it.each(PLACES)('fetches the rest alone of a file that was cut: %s', async (_name, place) => {
      const url = await place(demo, source, `${program}-rest`)
      const file = await downloaded(CUT)
      const { code, stderr } = await run(program, flags(file, url))
      expect({ code, stderr }).toMatchObject({ code: 0 })
      expect(digest(await readFile(file))).toBe(whole)
      await expect.poll(() => demo.answers(url)).toEqual([`206 bytes=${CUT}-`])
    })

    it.each(PLACES)('takes the 416 for a file that is complete as success: %s', async (_name, place) => {
      const url = await place(demo, source, `${program}-complete`)
      const file = await downloaded(SIZE)
      const before = await stat(file)
      const { code, stderr } = await run(program, flags(file, url))
      expect({ code, stderr }).toMatchObject({ code: 0 })
      expect(digest(await readFile(file))).toBe(whole)
      expect((await stat(file)).ino).toBe(before.ino)
      await expect.poll(() => demo.answers(url)).toEqual([`416 bytes=${SIZE}-`])
    })
  })
}

describeWith(['curl'], 'curl', () => {
  it('gets the ranges it asks for, each in its own file', async () => {
    const url = await put(demo, source, 'curl-ranges')
    const parts = ['0-999', '1000-12345678', '12345679-', '-1']
    const got = await Promise.all(parts.map((part) => run('curl', ['-sS', '--fail', '-r', part, url])))
    expect(digest(Buffer.concat(got.slice(0, 3).map(({ stdout }) => stdout)))).toBe(whole)
    expect(got[3]?.stdout).toEqual(content.subarray(-1))
  })

  it('gets many ranges at once as multipart/byteranges with the bytes of each', async () => {
    const url = await put(demo, source, 'curl-multipart')
    const { code, stdout } = await run('curl', ['-sS', '--fail', '-r', '10-19,5000000-5000099,-7', url])
    expect(code).toBe(0)
    const text = stdout.toString('latin1')
    for (const [first, last] of [
      [10, 19],
      [5_000_000, 5_000_099],
      [SIZE - 7, SIZE - 1],
    ] as const) {
      const part = content.subarray(first, last + 1).toString('latin1')
      expect(text.includes(`${first}-${last}/${SIZE}\r\n\r\n${part}\r\n--`)).toBe(true)
    }
  })
})

describeWith(['wget'], 'wget', () => {
  it('resumes by itself a transfer that the network cut', async () => {
    const url = await put(demo, source, 'wget-cut')
    const wire = await tapWire(url, { cutAfter: CUT })
    const file = join(await temporaryDirectory(), 'download')
    const { code } = await run('wget', ['-nv', '--tries=2', '--waitretry=0', '-O', file, wire.url])
    expect(code).toBe(0)
    expect(digest(await readFile(file))).toBe(whole)
    expect(wire.heads).toHaveLength(2)
    await expect.poll(() => demo.answers(url)).toContainEqual(expect.stringMatching(/^206 bytes=\d{7,}-$/))
  })

  it('leaves a file alone that is not newer on the server, by a 304', async () => {
    const url = await put(demo, source, 'wget-newer')
    const directory = await temporaryDirectory()
    const fetchIt = () => run('wget', ['-nv', '--tries=1', '-N', '-P', directory, url])
    expect((await fetchIt()).code).toBe(0)
    expect((await fetchIt()).code).toBe(0)
    expect(digest(await readFile(join(directory, 'wget-newer')))).toBe(whole)
    await expect.poll(() => demo.answers(url)).toEqual(['200 whole', '304 whole'])
  })
})

describeWith(['aria2c'], 'aria2c -x8', () => {
  const flags = ['--no-conf', '--quiet', '-x8', '-s8', '-k1M', '--file-allocation=none', '--max-tries=1']

  it.each(PLACES)('puts a file together from 8 connections: %s', async (_name, place) => {
    const url = await place(demo, source, 'aria2-parallel')
    // So slow that the first connection does not get all of it before the others have started.
    const wire = await tapWire(url, { bytesPerSecond: 8 * 1024 * 1024 })
    const directory = await temporaryDirectory()
    const { code, stderr } = await run('aria2c', [...flags, '-d', directory, '-o', 'download', wire.url])
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(digest(await readFile(join(directory, 'download')))).toBe(whole)
    expect(wire.connections).toBeGreaterThanOrEqual(8)
    // The first connection asks for all, and is given up where the second one's range begins.
    await expect.poll(() => demo.answers(url)).toContain('200 whole')
    const parts = new Set(demo.answers(url).filter((answer) => /^206 bytes=\d+-\d+$/.test(answer)))
    expect(parts.size).toBeGreaterThanOrEqual(7)
    expect(parts.size).toBe(demo.answers(url).length - 1)
  })
})
