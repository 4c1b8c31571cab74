import { CASES } from './cases/index.ts'
import { CONTENDERS, type Contender, titleOf } from './peers.ts'
import { table } from './report.ts'
import { field } from './response.ts'
import { Suite, type Verdict } from './suite.ts'
import { startTarget } from './target.ts'

/** Cases of one request for letters.txt each, in which people recognise what goes wrong. */
const TELLING = [
  'suffix',
  'end-beyond',
  'at-the-end',
  'two-parts',
  'unknown-unit',
  'ir-other-tag',
  'ir-date-later',
  'im-before-range',
  'inm-before-range',
]

const NAMES = [
  'koa-static + koa-range-stream',
  'koa-static',
  'koa-static + koa-range',
  'express.static',
  '@fastify/static',
  'sirv (etag: true)',
  'nginx',
]

/** Whom the package's README shows: what is mounted in a Node server as ours is, and nginx. */
export const SHOWN: readonly Contender[] = NAMES.flatMap((name) =>
  CONTENDERS.filter((one) => one.name === name && one.version !== null),
)

const cases = TELLING.map((id) => {
  const found = CASES.find((one) => one.id === id)
  if (found === undefined) throw new Error(`There is no case ${id}`)
  return found
})

/** What a server answers to each of the telling cases, as cells of a table. */
export async function answersOf({ start }: Contender): Promise<readonly string[]> {
  const target = await startTarget(start)
  try {
    const suite = new Suite(target)
    const answers: string[] = []
    for (const one of cases) answers.push(answer(await suite.run(one), suite.last))
    return answers
  } finally {
    await target.close()
  }
}

function answer(verdict: Verdict, response: Suite['last']): string {
  if (verdict.result === 'n/a') return verdict.reason
  if (verdict.result === 'pass') return `✓ ${response?.status}`
  if (response === null) return `✗ ${verdict.reason}`
  const contentRange = field(response, 'content-range')
  const range = contentRange === undefined ? '' : ` ${contentRange}`
  return `✗ ${response.status}${range}${response.end === 'short' ? ', cut off' : ''}`
}

/** The table with a row for each telling case and a column for each server that was asked. */
export function telling(columns: ReadonlyMap<Contender, readonly string[]>): string {
  const rows = cases.map(({ steps }, at) => [
    requestOf(steps[0]),
    ...[...columns.values()].map((answers) => answers[at] ?? ''),
  ])
  return table(['request', ...[...columns.keys()].map(titleOf)], rows)
}

function requestOf(step: (typeof cases)[number]['steps'][number] | undefined): string {
  if (step === undefined || !('expect' in step)) throw new Error('A telling case is one exchange')
  return (step.headers ?? []).map((line) => `\`${line}\``).join('<br>')
}
