import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { REPOSITORY } from '../support/server.ts'
import { brokenByGrowth } from './dist/promises.js'

const MIB = 1024 ** 2
const held = (memory: number, descriptors = 20) => ({ memory: memory * MIB, descriptors })

describe('the soak', () => {
  it('finds nothing broken in a few seconds of a few clients', async () => {
    const flags = ['--minutes', '0.05', '--clients', '10']
    const program = join(REPOSITORY, 'test/soak/dist/main.js')
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...flags])
    for (const kind of ['byPut', 'byForm', 'inTwoParts', 'range', 'leave', 'cutUpload', 'remove'])
      expect(stdout).toMatch(new RegExp(`^${kind} +[1-9]\\d* +0 `, 'm'))
  })

  it('finds memory that grows, and not memory that goes up and down', () => {
    const growing = Array.from({ length: 30 }, (_, at) => held(200 + at * 10))
    expect(brokenByGrowth(held(80), growing, held(80))).toEqual(['memory grew from 250 MiB to 450 MiB'])
    const waving = Array.from({ length: 30 }, (_, at) => held(200 + (at % 5) * 10))
    expect(brokenByGrowth(held(80), waving, held(300))).toEqual([])
  })

  it('finds descriptors that are left open', () => {
    expect(brokenByGrowth(held(80, 20), [held(80)], held(80, 21))).toEqual([
      '21 descriptors are open after, 20 before',
    ])
  })
})
