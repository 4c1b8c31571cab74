/** Returns whether `bytes` are a text: at least one byte, UTF-8 without control characters. The last character may be cut off. */
export function isText(bytes: Uint8Array): boolean {
  if (bytes.length === 0) return false
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
    return !/[^\P{Cc}\t\n\v\f\r]/u.test(text)
  } catch {
    return false
  }
}

/** Tags and signatures at the beginning of a page or document (WHATWG MIME Sniffing §7.1), and of a script. */
const START = /^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*(?:<[a-z!?/]|#!|\/[/*]|%PDF-)/i
const TAG = /<(?:!doctype|html|head|body|script|svg|iframe|\?xml)/i

/** Returns whether `bytes`, which are expected to be a part of a film or song, are a page or a script. */
export function isMarkup(bytes: Uint8Array): boolean {
  // UTF-16 has a NUL beside each character of ASCII.
  const text = Buffer.from(bytes).toString('latin1').replaceAll('\0', '')
  if (START.test(text) || TAG.test(text)) return true
  // Encoders fill silent frames with their name (`LAME3.100UUUU`). Without punctuation it is no script.
  return isText(bytes) && !/^[\w.]*$/.test(text)
}
