import { describe, expect, it } from 'vitest'
import { renderChart } from '../../apps/bench/src/ranges/chart.ts'
import { NGINX, PLAIN } from '../../apps/bench/src/ranges/contenders.ts'
import { MIDDLE } from '../../apps/bench/src/ranges/kinds.ts'
import { rangesChart } from '../../apps/bench/src/ranges/ranges-chart.ts'
import { measured } from './measurements.ts'

const svg = renderChart({
  title: 'a < b & c',
  subtitle: 'beneath',
  panels: ['one', 'two'],
  rows: [
    {
      name: 'first',
      highlighted: false,
      bars: [
        { value: 100, text: '100' },
        { value: 3, text: '3' },
      ],
    },
    { name: 'second', highlighted: true, bars: [{ value: 50, text: '50' }, null] },
    {
      name: 'third',
      highlighted: false,
      bars: [
        { value: 0.01, text: '< 1' },
        { value: 6, text: '6' },
      ],
    },
  ],
})

const bars = [...svg.matchAll(/<rect x="(\d+)" y="(\d+)" width="(\d+)"/g)].map(([, x, y, width]) => ({
  x: Number(x),
  y: Number(y),
  width: Number(width),
}))

describe('renderChart', () => {
  it('draws bars in proportion, each panel to its own scale', () => {
    const [first, firstTwo, second, third, thirdTwo] = bars.map(({ width }) => width)
    expect(second).toBe((first ?? 0) / 2)
    expect(firstTwo).toBe((thirdTwo ?? 0) / 2)
    expect(first).toBe(thirdTwo)
    expect(third).toBe(1)
  })

  it('draws nothing for what there is no figure of', () => {
    expect(bars).toHaveLength(5)
  })

  it('escapes what has a meaning in XML', () => {
    expect(svg).toContain('a &lt; b &amp; c')
    expect(svg).toContain('&lt; 1')
  })

  it('keeps bars, figures and rows within the picture', () => {
    const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? []
    for (const bar of bars) {
      expect(bar.x + bar.width + 60).toBeLessThanOrEqual(Number(width))
      expect(bar.y).toBeLessThan(Number(height))
    }
  })

  it('follows the colours of the page, light or dark', () => {
    expect(svg).toContain('@media (prefers-color-scheme: dark)')
  })

  it('opens and closes one svg element', () => {
    expect(svg.match(/<svg /g)).toHaveLength(1)
    expect(svg.trimEnd().endsWith('</svg>')).toBe(true)
  })
})

describe('rangesChart', () => {
  it('shows those that were measured, ours highlighted', () => {
    const chart = rangesChart(
      [...measured(PLAIN, MIDDLE, [18_000, 60]), ...measured(NGINX, MIDDLE, [36_000, 20])],
      5,
    )
    expect(chart).toContain('class="ours">fileContent + serveContent</text>')
    expect(chart).toContain('>36,000</text>')
    expect(chart).not.toContain('sirv')
  })
})
