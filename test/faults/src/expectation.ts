import { type Content, digestOf } from './content.ts'
import type { NotedCall } from './watchers.ts'

/** What a child tells before and after what it does; each line is written before the next step. */
export type Line =
  /** An operation begins after which the key may hold this content, or nothing. */
  | { readonly type: 'begin'; readonly key: string; readonly content: Content | null }
  /** It has been acknowledged. */
  | { readonly type: 'done'; readonly key: string; readonly content: Content | null }
  /** A session with metadata is about to be created: it may be there without anybody knowing its id, until it expires. */
  | { readonly type: 'creating' }
  /** A session has been created: it need not outlive a crash before it is paused, unless it has metadata. */
  | { readonly type: 'created'; readonly id: string; readonly content: Content; readonly known: boolean }
  /** `pause` has been acknowledged at this offset. */
  | { readonly type: 'paused'; readonly id: string; readonly content: Content; readonly offset: number }
  /** A paused session is about to be committed under `key`, or with `null` aborted. */
  | { readonly type: 'ending'; readonly id: string; readonly key: string | null }
  /** That has been acknowledged. */
  | { readonly type: 'ended'; readonly id: string }
  /** One bit of the key's bytes has been turned over. */
  | { readonly type: 'damaged'; readonly key: string; readonly content: Content }
  /** The key may hold anything until something is acknowledged: it was put without syncs, or its bytes were damaged. */
  | { readonly type: 'unsure'; readonly key: string }
  /** The child comes to its end; the last line. */
  | { readonly type: 'calls'; readonly calls: readonly NotedCall[] }
  /** The child saw something that should not be. */
  | { readonly type: 'fault'; readonly text: string }

export interface ExpectedSession {
  readonly id: string
  readonly content: Content
  /** Whether it has metadata, so that it is there from the start and leaves a receipt. */
  readonly known: boolean
  /** Acknowledged: it may be more by now, and never less. `null`: no pause has been, and the session may be gone. */
  readonly offset: number | null
  /** The key under which it may have been committed; `null`: it may have been aborted; `undefined`: neither. */
  readonly ending: string | null | undefined
  /** Acknowledged: it is there no more. */
  readonly ended: boolean
}

/** What has to be on the disk after some lines. */
export interface Expectation {
  /** Per key the digests that it may hold; `null`: nothing. */
  readonly keys: ReadonlyMap<string, ReadonlySet<string | null>>
  readonly sessions: ReadonlyMap<string, ExpectedSession>
  /** What damaged keys held. */
  readonly damaged: ReadonlyMap<string, Content>
  /** Keys that may hold anything. */
  readonly unsure: ReadonlySet<string>
  /** How many sessions with metadata may be there that nobody was told of. */
  readonly untold: number
}

export function expectationOf(lines: readonly Line[]): Expectation {
  const keys = new Map<string, Set<string | null>>()
  const sessions = new Map<string, ExpectedSession>()
  const damaged = new Map<string, Content>()
  const unsure = new Set<string>()
  for (const line of lines) {
    if (line.type === 'done') unsure.delete(line.key)
    if (line.type === 'begin' || line.type === 'done') noteKey(keys, line)
    else if (line.type === 'damaged') damaged.set(line.key, line.content)
    else if (line.type === 'unsure') unsure.add(line.key)
    else if ('id' in line) noteSession(sessions, line)
  }
  const begun = lines.filter(({ type }) => type === 'creating').length
  const told = [...sessions.values()].filter(({ known }) => known).length
  return { keys, sessions, damaged, unsure, untold: begun - told }
}

function noteKey(
  keys: Map<string, Set<string | null>>,
  { type, key, content }: Extract<Line, { type: 'begin' | 'done' }>,
): void {
  const digest = content === null ? null : digestOf(content)
  const before = type === 'begin' ? (keys.get(key) ?? [null]) : []
  keys.set(key, new Set([...before, digest]))
}

function noteSession(sessions: Map<string, ExpectedSession>, line: Extract<Line, { id: string }>): void {
  const before = sessions.get(line.id)
  if (line.type === 'created')
    sessions.set(line.id, { ...line, offset: line.known ? 0 : null, ending: undefined, ended: false })
  else if (line.type === 'paused') {
    const known = before?.known ?? false
    sessions.set(line.id, { ...line, known, ending: undefined, ended: false })
  } else if (before !== undefined && line.type === 'ended') sessions.set(line.id, { ...before, ended: true })
  else if (before !== undefined && line.type === 'ending')
    sessions.set(line.id, { ...before, ending: line.key })
}
