/** How binding a case is: the RFC says MUST, it says SHOULD, or it is only what a careful server does. */
export const LEVELS = ['must', 'should', 'quality'] as const
type Level = (typeof LEVELS)[number]

/**
 * What the answer may be, where positions are inclusive: `whole` is a 200 with all of the content, `unsatisfied` a 416
 * that tells its length, `part` a 206 with that range alone, `parts` a multipart 206 with these in this order, `covers` a
 * 206 with all these bytes however cut, `not` whatever has none of these statuses.
 */
export type Outcome =
  | number
  | 'whole'
  | 'unsatisfied'
  | `part ${string}`
  | `parts ${string}`
  | `covers ${string}`
  | { readonly not: readonly number[] }

/** RFC 9110 §14.2: an invalid Range may be ignored or rejected; what it may not be is guessed at. */
export const IGNORED_OR_REJECTED: readonly Outcome[] = ['whole', 400, 416]

/** `as in the 200`: with the value, or the absence, of a plain GET's. */
export type FieldRule = 'present' | 'absent' | 'as in the 200' | RegExp | { readonly not: RegExp }

export interface Demands {
  /** By lower-case name. */
  readonly fields?: Readonly<Record<string, FieldRule>>
  /** The content of an error says something. */
  readonly explains?: true
  /** The content of an error is not the file's. */
  readonly withoutFileBytes?: true
  /** Content-Length is there. */
  readonly knownLength?: true
  /** No byte of the file comes twice. */
  readonly eachByteOnce?: true
  /** No two parts overlap or touch. */
  readonly apart?: true
  /** Each part has the Content-Type of the 200. */
  readonly typedParts?: true
  /** The boundary parameter is a token. */
  readonly plainBoundary?: true
  /** Last-Modified is not later than Date. */
  readonly modifiedByDate?: true
  readonly mostBytes?: number
  readonly mostMilliseconds?: number
}

export interface Exchange {
  /** A fixture (`letters.txt`). */
  readonly file?: string
  /** Appended to the base as it is, instead of a file. */
  readonly path?: string
  /** GET. */
  readonly method?: string
  /** 1.1. */
  readonly version?: '1.0'
  /** Lines as they are sent, but for placeholders as `{etag}`; see `placeholders.ts`. */
  readonly headers?: readonly string[]
  readonly body?: string
  /** Bytes of content after which the client hangs up. */
  readonly limit?: number
  /** Several: any of them. */
  readonly expect: Outcome | readonly Outcome[]
  /** Expected instead where the server's entity-tag is weak. */
  readonly expectIfWeak?: Outcome
  readonly demands?: Demands
  /** Under which to remember the response, for `{NAME.etag}` and `differ`. */
  readonly save?: string
}

/** What happens to a file; `replaced` is a new file in the place of the old one. */
export interface Change {
  readonly file: string
  readonly become: 'replaced' | 'overwritten' | 'longer' | 'shorter' | 'gone'
  /** In bytes, for `replaced` (as before), `longer` and `shorter` (twice and half). */
  readonly size?: number
  /** Where the modification time goes: back to what it was, or on by so many ms (to now). */
  readonly modified?: 'kept' | number
}

export type Step =
  | Exchange
  | { readonly change: Change }
  /** Sent at once on one connection, or each after the answer to the one before. */
  | { readonly pipelined: readonly Exchange[] }
  | { readonly inTurn: readonly Exchange[] }
  /** On a connection each, at the same time. */
  | { readonly together: readonly Exchange[] }
  /** The change comes when the first bytes of the content are there and no more are read. */
  | { readonly during: Exchange; readonly change: Change; readonly mayEndShort?: true }
  /** The client hangs up in mid-content, so often. */
  | { readonly abandoned: Exchange; readonly times: number }
  /** Two saved responses differ in this; weak entity-tags may be equal. */
  | { readonly differ: readonly [string, string]; readonly by: 'strong etag' | 'boundary' | 'coding' }
  /** Waits for the first part of a second. */
  | { readonly pause: 'until early in a second' }

export interface Case {
  readonly id: string
  readonly level: Level
  /** Of RFC 9110, unless it names another. */
  readonly section: string
  /** What the server does. */
  readonly title: string
  /** `files`: says nothing about objects in a store. */
  readonly only?: 'files'
  readonly steps: readonly Step[]
}

type Brief = Omit<Case, 'steps'> & ({ readonly steps: readonly Step[] } | Exchange)

/** A theme's cases; those of one exchange are written without `steps`. */
export function cases(...list: readonly Brief[]): readonly Case[] {
  return list.map((one) => ('steps' in one ? one : { ...one, steps: [one] }))
}

/** What a 206 and a 304 share with the 200: RFC 9110 §15.3.7, §15.4.5. */
export const SAME: Readonly<Record<string, FieldRule>> = {
  etag: 'as in the 200',
  'cache-control': 'as in the 200',
  expires: 'as in the 200',
  vary: 'as in the 200',
  'content-location': 'as in the 200',
  date: 'present',
}
