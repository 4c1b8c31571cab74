import { expect } from 'vitest'
import type { HostileCase } from '../case.ts'
import { file, form, post, put } from '../request.ts'
import { holds, storedBy } from '../stored.ts'
import { HTML, NO_MEDIA, POLYGLOTS, SAMPLES, type Sample, SVG } from './samples.ts'

/** Sent as a video of good name and type: what counts is what is in it. */
function byForm([name, content]: Sample, expect: readonly string[]): HostileCase {
  return {
    name: `a form with ${name}`,
    steps: [post(form(file(content, 'clip.mp4', 'Content-Type: video/mp4')))],
    expect,
    check: holds(content),
  }
}

function byPut([name, content]: Sample, type: string, expect: readonly string[]): HostileCase {
  return {
    name: `a PUT with ${name} as ${type}`,
    steps: [put(encodeURIComponent(`${name}.mp4`), content, [`Content-Type: ${type}`])],
    expect,
    check: holds(content),
  }
}

/** Under the default list. */
export const MEDIA_ONLY: readonly HostileCase[] = [
  ...NO_MEDIA.map((sample) => byForm(sample, ['415'])),
  ...NO_MEDIA.slice(0, 10).map((sample) => byPut(sample, 'video/mp4', ['415'])),
  ...POLYGLOTS.map((sample) => byForm(sample, ['201', '415'])),
]

/** Types that a client declares where nothing is found in the bytes. */
const DECLARED = [
  'text/html',
  'image/svg+xml',
  'application/javascript',
  'video/mp4; x="<script>',
  'x',
  '',
  'text/html\tx',
]

export const ANY_CONTENT: readonly HostileCase[] = [
  ...SAMPLES.map((sample) => byForm(sample, ['201'])),
  ...DECLARED.map((type) => byPut([`HTML ${DECLARED.indexOf(type)}`, Buffer.from(HTML)], type, ['201'])),
  {
    name: 'SVG that says it is a video is no video',
    steps: [put('svg.mp4', SVG, ['Content-Type: video/mp4'])],
    expect: ['201'],
    check: (exchange) => expect(storedBy(exchange, SVG).type).not.toMatch(/^video/),
  },
]
