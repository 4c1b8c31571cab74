import { create } from 'content-disposition'

/**
 * Returns the value of Content-Disposition for a file name. A name that is not ASCII is sent in `filename*` (RFC 6266 §4.3),
 * because the library would send Latin-1 as raw bytes.
 */
export function contentDisposition(name: string, type: 'inline' | 'attachment'): string {
  const fallback = name.replace(/[^\x20-\x7e]/g, '?')
  return create(name, fallback === name ? { type } : { type, fallback })
}
