import { trimWhitespace } from './field-values.ts'

/** An entity-tag, taken apart. */
export interface EntityTag {
  /** Whether it carries the `W/` prefix. */
  readonly weak: boolean
  /** The opaque-tag with its quotes, e.g. `"abc"`. */
  readonly opaqueTag: string
}

// etagc is %x21 / %x23-7E / obs-text; Node and browsers give obs-text as the characters U+0080–U+00FF.
const ENTITY_TAG = /(W\/)?("[!\x23-\x7e\x80-\xff]*")/y

/**
 * Reads the value of If-Match or If-None-Match.
 *
 * Empty list elements, spaces and tabs around commas and commas inside tags are all legal (RFC 9110 §5.6.1.2, §8.8.3).
 *
 * @returns the tags in their order, `'*'`, or `null` when the value is neither, which matches nothing
 * @see RFC 9110 §8.8.3, §13.1.1, §13.1.2
 * @example
 * parseEntityTags('"a", W/"b,c"') // [{ weak: false, opaqueTag: '"a"' }, { weak: true, opaqueTag: '"b,c"' }]
 */
export function parseEntityTags(field: string): readonly EntityTag[] | '*' | null {
  if (trimWhitespace(field) === '*') return '*'
  const tags: EntityTag[] = []
  let afterTag = false
  for (let at = 0; at < field.length; ) {
    const character = field[at]
    if (character === ',') afterTag = false
    if (character === ',' || character === ' ' || character === '\t') {
      at++
      continue
    }
    const tag = afterTag ? null : readTag(field, at)
    if (tag === null) return null
    tags.push(tag)
    at = ENTITY_TAG.lastIndex
    afterTag = true
  }
  return tags.length === 0 ? null : tags
}

/**
 * Reads one entity-tag, e.g. the value of ETag, or returns `null` if `field` is not an entity-tag.
 *
 * @see RFC 9110 §8.8.3
 * @example
 * parseEntityTag('W/"abc"') // { weak: true, opaqueTag: '"abc"' }
 */
export function parseEntityTag(field: string): EntityTag | null {
  const tag = readTag(field, 0)
  return tag !== null && ENTITY_TAG.lastIndex === field.length ? tag : null
}

/** Returns the tag at `at`, or `null`. Sets `ENTITY_TAG.lastIndex` to the position after it. */
function readTag(field: string, at: number): EntityTag | null {
  ENTITY_TAG.lastIndex = at
  const [, weak, opaqueTag] = ENTITY_TAG.exec(field) ?? []
  return opaqueTag === undefined ? null : { weak: weak !== undefined, opaqueTag }
}

/**
 * Tells whether two entity-tags are equal and neither is weak: the same bytes.
 *
 * @see RFC 9110 §8.8.3.2
 * @example
 * strongMatch({ weak: true, opaqueTag: '"a"' }, { weak: true, opaqueTag: '"a"' }) // false
 */
export function strongMatch(a: EntityTag, b: EntityTag): boolean {
  return !a.weak && !b.weak && a.opaqueTag === b.opaqueTag
}

/**
 * Tells whether two entity-tags are equal, weak or not: the same meaning.
 *
 * @see RFC 9110 §8.8.3.2
 * @example
 * weakMatch({ weak: true, opaqueTag: '"a"' }, { weak: false, opaqueTag: '"a"' }) // true
 */
export function weakMatch(a: EntityTag, b: EntityTag): boolean {
  return a.opaqueTag === b.opaqueTag
}
