const MEDIA_TYPE = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?$/

/** Whether `text` is `type/subtype`, with or without parameters, and can be sent in a header field (RFC 9110 §8.3.1). */
export function isMediaType(text: string): boolean {
  return MEDIA_TYPE.test(text)
}
