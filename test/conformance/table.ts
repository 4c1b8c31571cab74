import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, it } from 'vitest'
import { withBlock } from './block.ts'
import { CASES, type ThemedCase } from './cases/index.ts'
import { CONTENDERS, type Contender } from './peers.ts'
import { report, type Score, standing } from './report.ts'
import { Suite } from './suite.ts'
import { startTarget } from './target.ts'
import { answersOf, SHOWN, telling } from './telling.ts'

const pathOf = (document: string) => fileURLToPath(new URL(`../../${document}`, import.meta.url))

const scores: Score[] = []
const answers = new Map<Contender, readonly string[]>()

const installed = CONTENDERS.filter(({ version }) => version !== null)

// Not a test of anything: vitest runs TypeScript, which Node 20 does not.
it.each(installed.map((one) => [one.name, one] as const))('%s', async (_, contender) => {
  scores.push({ contender, passed: await passedBy(contender) })
})

it.each(SHOWN.map((one) => [one.name, one] as const))('%s, by what is telling', async (_, contender) => {
  answers.set(contender, await answersOf(contender))
})

afterAll(() => {
  const date = new Date().toISOString().slice(0, 10)
  const text = report(scores, `${date}, Node ${process.version}, ${system()}`)
  writeFileSync(pathOf('docs/conformance.md'), text)
  fill('README.md', standing(scores, date))
  fill('packages/koa-range-stream/README.md', telling(answers))
  console.log(`\n${text}`)
})

function fill(document: string, block: string): void {
  const path = pathOf(document)
  writeFileSync(path, withBlock(readFileSync(path, 'utf8'), block))
}

async function passedBy(contender: Contender): Promise<ReadonlyMap<ThemedCase, boolean>> {
  const target = await startTarget(contender.start)
  try {
    const suite = new Suite(target)
    const passed = new Map<ThemedCase, boolean>()
    // REASONS=1 npm run conformance: what each of them fails, and why.
    const tells = process.env['REASONS'] === '1'
    for (const one of CASES) {
      if (contender.stores === true && one.only === 'files') continue
      const verdict = await suite.run(one)
      passed.set(one, verdict.result === 'pass')
      if (verdict.result !== 'pass' && tells)
        console.log(`${contender.name}, ${one.id} (${one.level}): ${verdict.result}, ${verdict.reason}`)
    }
    return passed
  } finally {
    await target.close()
  }
}

function system(): string {
  try {
    return /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? process.platform
  } catch {
    return process.platform
  }
}
