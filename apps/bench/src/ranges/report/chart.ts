/** Horizontal bars in panels side by side, which share the names of their rows. */
export interface Chart {
  readonly title: string
  readonly subtitle: string
  readonly rows: readonly Row[]
  readonly panels: readonly string[]
}

export interface Row {
  readonly name: string
  readonly highlighted: boolean
  /** One bar for each panel; `null` if the server has no figure there. */
  readonly bars: readonly (Bar | null)[]
}

export interface Bar {
  readonly value: number
  readonly text: string
}

const NAMES_WIDTH = 230
const PANEL_WIDTH = 210
/** Right of the longest bar, for its figure. */
const FIGURE_WIDTH = 62
const ROW_HEIGHT = 26
const BAR_HEIGHT = 16
const TOP = 92
const MARGIN = 16

const STYLE = `
text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328 }
.title { font-size: 17px; font-weight: 600 }
.dim { fill: #59636e }
.ours { font-weight: 600 }
rect { fill: #afb8c1 }
rect.ours { fill: #0969da }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc }
.dim { fill: #9198a1 }
rect { fill: #656c76 }
rect.ours { fill: #4493f8 }
}
`

/** An SVG image that is readable on light and on dark pages. */
export function renderChart({ title, subtitle, rows, panels }: Chart): string {
  const width = NAMES_WIDTH + panels.length * PANEL_WIDTH + 2 * MARGIN
  const height = TOP + rows.length * ROW_HEIGHT + MARGIN
  const most = panels.map((_, panel) => Math.max(...rows.map(({ bars }) => bars[panel]?.value ?? 0)))
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escapeText(title)}</title>`,
    `<style>${STYLE}</style>`,
    text(MARGIN, 30, title, 'title'),
    text(MARGIN, 52, subtitle, 'dim'),
    ...panels.map((name, panel) => text(panelLeft(panel), TOP - 12, name, 'dim')),
    ...rows.flatMap((row, at) => renderRow(row, TOP + at * ROW_HEIGHT, most)),
    '</svg>',
  ]
  return `${lines.join('\n')}\n`
}

function renderRow(
  { name, highlighted, bars }: Row,
  top: number,
  most: readonly number[],
): readonly string[] {
  const kind = highlighted ? 'ours' : ''
  const baseline = top + BAR_HEIGHT - 3
  const drawn = bars.flatMap((bar, panel) => {
    if (bar === null) return []
    const left = panelLeft(panel)
    const width = barWidth(bar.value, most[panel] ?? 0)
    return [
      `<rect x="${left}" y="${top}" width="${width}" height="${BAR_HEIGHT}" rx="2"${attribute(kind)}/>`,
      text(left + width + 6, baseline, bar.text, kind),
    ]
  })
  return [text(MARGIN, baseline, name, kind), ...drawn]
}

/** In pixels; one for what would be too short to be seen. */
function barWidth(value: number, most: number): number {
  const longest = PANEL_WIDTH - FIGURE_WIDTH
  return most === 0 ? 1 : Math.max(1, Math.round((value / most) * longest))
}

function panelLeft(panel: number): number {
  return MARGIN + NAMES_WIDTH + panel * PANEL_WIDTH
}

function text(x: number, y: number, content: string, kind: string): string {
  return `<text x="${x}" y="${y}"${attribute(kind)}>${escapeText(content)}</text>`
}

function attribute(kind: string): string {
  return kind === '' ? '' : ` class="${kind}"`
}

function escapeText(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
