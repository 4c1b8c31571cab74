const MEDIA_TYPE = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?$/

/** Clients and proxies reject a response whose header fields have more than 4 to 16 KiB. */
const MAX_LENGTH = 2048

/**
 * Returns whether `text` is `type/subtype`, with or without parameters, and can be sent in a header field (RFC 9110 §8.3.1).
 * `session/intake/accepted-type.ts` decides which types are accepted.
 */
export function isMediaType(text: string): boolean {
  return text.length <= MAX_LENGTH && MEDIA_TYPE.test(text)
}
