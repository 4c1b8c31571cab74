import type { Intent } from '../driver.ts'
import { StoreError } from '../store-error.ts'
import { parseFields, readText } from './fields.ts'

/** What `staging/<id>.json` says of a paused session. */
export interface PausedIntent extends Intent {
  /** How many bytes were durable when it was paused. */
  readonly offset: number
  /** Whose pause wrote this. */
  readonly epoch: string
  /** The boot in which bytes behind `offset` may have been written; they outlive a process and no power cut. */
  readonly boot: string
}

/** @throws StoreError CORRUPT */
export async function readIntent(path: string): Promise<PausedIntent | null> {
  const text = await readText(path)
  if (text === null) return null
  const intent = parseIntent(text)
  if (intent === null) throw new StoreError('CORRUPT', `An upload's intent is damaged: ${path}`)
  return intent
}

export function formatIntent(intent: PausedIntent): string {
  return `${JSON.stringify(intent)}\n`
}

function parseIntent(text: string): PausedIntent | null {
  const { key, type, digest, offset, epoch, boot } = parseFields(text) ?? {}
  if (typeof key !== 'string' || typeof epoch !== 'string' || typeof boot !== 'string') return null
  if (typeof offset !== 'number' || !isOptionalText(type) || !isOptionalText(digest)) return null
  return { key, type, digest, offset, epoch, boot }
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}
