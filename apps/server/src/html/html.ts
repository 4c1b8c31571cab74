import type { PageVideo } from '../shared/video.ts'

/**
 * The Content-Security-Policy of every page: it loads nothing from other sites, and no site frames it. media-chrome has its
 * styles in its shadow roots, and the browser makes the posters.
 */
export const PAGE_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"

/**
 * The fields of every page. Under `Referrer-Policy: no-referrer` browsers send `Origin: null` with a form, which the server
 * cannot tell from a form of a foreign site; each page repeats the policy in a meta element, because a proxy may add that field.
 */
export const PAGE_FIELDS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': PAGE_POLICY,
  'Referrer-Policy': 'same-origin',
}

export interface Html {
  readonly html: string
}

type Value = string | number | null | Html | readonly Html[]

/** Escapes whatever is not `Html` itself, so that forgetting to is impossible. */
export function html(text: TemplateStringsArray, ...values: readonly Value[]): Html {
  return { html: String.raw({ raw: text }, ...values.map(toHtml)) }
}

function toHtml(value: Value): string {
  if (value === null) return ''
  if (typeof value === 'string' || typeof value === 'number') return escapeHtml(`${value}`)
  return 'html' in value ? value.html : value.map(toHtml).join('\n')
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}

/** The `hidden` attribute, unless the element is to be shown. */
export const hiddenUnless = (shown: boolean): Html | null => (shown ? null : html` hidden`)

/** The attributes from which the script reads a video. */
export function videoAttributes({ key, size, type, digest, created, url }: PageVideo): Html {
  return html` data-key="${key}" data-size="${size}" data-type="${type}" data-digest="${digest}" data-created="${created}" data-url="${url}"`
}
