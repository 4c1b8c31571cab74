import { expect, it } from 'vitest'
import { disturbS3 } from '../faults/src/s3.ts'

// A few of the rounds that `npm run faults -- s3` takes 200 of.

it('nothing is lost, torn, left over or never answered when the gateway or a server dies, or the gateway freezes', async () => {
  const { rounds, faults } = await disturbS3(3, () => {})
  expect(faults).toEqual([])
  const counts = [...rounds].map(([kind, all]) => [kind, all.length])
  expect(counts).toEqual([
    ['gateway killed', 1],
    ['gateway frozen', 1],
    ['server killed', 1],
  ])
}, 180_000)
