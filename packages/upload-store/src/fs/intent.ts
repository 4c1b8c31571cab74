import { readFile } from 'node:fs/promises'
import type { Intent } from '../driver.ts'
import { StoreError } from '../store-error.ts'
import { hasCode } from './files.ts'

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
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
  const intent = parseIntent(text)
  if (intent === null) throw new StoreError('CORRUPT', `An upload's intent is damaged: ${path}`)
  return intent
}

export function formatIntent(intent: PausedIntent): string {
  return `${JSON.stringify(intent)}\n`
}

function parseIntent(text: string): PausedIntent | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  const { key, type, digest, offset, epoch, boot } = value as Record<string, unknown>
  if (typeof key !== 'string' || typeof epoch !== 'string' || typeof boot !== 'string') return null
  if (typeof offset !== 'number' || !isOptionalText(type) || !isOptionalText(digest)) return null
  return { key, type, digest, offset, epoch, boot }
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}
