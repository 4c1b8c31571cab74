import type { Case } from './suite.ts'

/** Cases that the server does not meet yet, over one protocol at least. */
const OPEN: readonly string[] = [
  'tells by 104 how far a long append has come, in durable bytes',
  'keeps an upload whole or gone when a cancellation races its last append',
  'does not let who may not append end a request that goes on',
  'refuses a length that no disk has before it takes a byte',
]

export function isOpen({ title }: Case): boolean {
  return OPEN.includes(title)
}
