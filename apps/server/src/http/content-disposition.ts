import { create } from 'content-disposition'

/**
 * Returns the value of Content-Disposition for a file name. A name that is not ASCII is sent in `filename*` (RFC 6266 §4.3),
 * because the library would send Latin-1 as raw bytes. `filename` with a percent sign, an apostrophe or an asterisk is quoted:
 * some clients decode a token that has them (RFC 6266, appendix D).
 */
export function contentDisposition(name: string, type: 'inline' | 'attachment'): string {
  const fallback = name.replace(/[^\x20-\x7e]/g, '?')
  const value = create(name, fallback === name ? { type } : { type, fallback })
  return value.replace(/^(inline|attachment); filename=([^";]*[%'*][^";]*)/, '$1; filename="$2"')
}
