/**
 * Of every page: nothing from elsewhere, and nobody frames it. media-chrome has its styles in its shadow roots, and posters are
 * made in the browser.
 */
export const PAGE_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"

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
