import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { live, type World } from './client.ts'
import { readFlags } from './flags.ts'
import { send } from './http.ts'
import { parsePrometheus, sumOf } from './prometheus.ts'
import { brokenByGrowth, type Held, inMiB, medianMemory, Tally } from './promises.ts'

const SERVER = fileURLToPath(new URL('../../../apps/server/dist/main.js', import.meta.url))
const SAMPLE_INTERVAL = 2000
/** For what was begun at the end, and idle connections. */
const SETTLING = 20_000

const { minutes, clients } = readFlags(process.argv.slice(2))

async function main(directory: string): Promise<readonly string[]> {
  const data = join(directory, 'data')
  const flags = ['--port', '0', '--data', data, '--accept', '*/*', '--log-level', 'warn']
  // All clients have one address, which may have a quarter of these; some leave their uploads unfinished.
  flags.push('--max-concurrent-uploads', String(4 * clients), '--max-unfinished-uploads', '1000000')
  const server = spawn(process.execPath, [SERVER, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(server, 'exit')
  try {
    const { value: base } = await createInterface({ input: server.stdout })[Symbol.asyncIterator]().next()
    if (base === undefined) throw new Error('The server did not start.')
    const broken = await soak(base, data)
    server.kill('SIGTERM')
    const [code] = await exited
    return code === 0 ? broken : [...broken, `the server exited with ${code}`]
  } finally {
    server.kill('SIGKILL')
    await exited
  }
}

async function soak(base: string, data: string): Promise<readonly string[]> {
  const bytes = randomBytes(2 ** 21)
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const world: World = { base, agent, bytes, shared: 'shared', tally: new Tally() }
  await send(base, agent, { method: 'PUT', path: '/videos/shared', body: bytes })
  agent.destroy()
  await wait(1000)
  const baseline = await heldBy(base)
  const running = { ...world, agent: new Agent({ keepAlive: true, maxSockets: clients }) }
  const samples = await underLoad(running)
  running.agent.destroy()
  const after = await settled(base, baseline)
  const { broken } = world.tally
  const growth = brokenByGrowth(baseline, samples, after)
  // Beside them lie the receipts of uploads in two parts.
  const staged = (await readdir(join(data, 'staging'))).filter((name) => name.endsWith('.part')).length
  print(world.tally, baseline, samples, after)
  return [
    ...broken,
    ...growth,
    ...(staged === 0 ? [] : [`${staged} uploads are staged after`]),
    ...(await failures(base)),
  ]
}

/** What the server held every now and then, without the first third, in which it warms up. */
async function underLoad(world: World): Promise<readonly Held[]> {
  const ending = AbortSignal.timeout(minutes * 60_000)
  const lives = Array.from({ length: clients }, (_, i) => live(world, `client-${i}`, ending))
  const samples: Held[] = []
  while (!ending.aborted) {
    await wait(SAMPLE_INTERVAL)
    samples.push(await heldBy(world.base))
  }
  await Promise.all(lives)
  return samples.slice(Math.floor(samples.length / 3))
}

/** As the server itself tells; each look is one at its metrics, too. */
async function heldBy(base: string): Promise<Held> {
  const metrics = await metricsOf(base)
  return {
    memory: sumOf(metrics, 'process_resident_memory_bytes'),
    descriptors: sumOf(metrics, 'process_open_fds'),
  }
}

async function metricsOf(base: string) {
  const response = await fetch(`${base}/metrics`, { headers: { connection: 'close' } })
  return parsePrometheus(await response.text())
}

async function settled(base: string, baseline: Held): Promise<Held> {
  const deadline = performance.now() + SETTLING
  for (;;) {
    const held = await heldBy(base)
    if (held.descriptors <= baseline.descriptors || performance.now() > deadline) return held
    await wait(500)
  }
}

/** Answers of the server that none of the clients may have seen. */
async function failures(base: string): Promise<readonly string[]> {
  const requests = (await metricsOf(base)).get('http_requests_total')?.samples ?? []
  return requests
    .filter(({ labels }) => Number(labels['status']) >= 500)
    .map(({ labels, value }) => `${value} × ${labels['method']} ${labels['route']} ${labels['status']}`)
}

function print(tally: Tally, baseline: Held, samples: readonly Held[], after: Held): void {
  const third = Math.ceil(samples.length / 3)
  const [early = 0, late = 0] = [samples.slice(0, third), samples.slice(-third)].map(medianMemory)
  console.log(`${clients} clients, ${minutes} min\n\n${tally.table()}\n`)
  console.log(
    `memory       ${inMiB(baseline.memory)} before, ${inMiB(early)} after warm-up, ${inMiB(late)} at the end`,
  )
  console.log(`descriptors  ${baseline.descriptors} before, ${after.descriptors} after`)
}

const directory = mkdtempSync(join(tmpdir(), 'soak-'))
main(directory)
  .then((broken) => {
    for (const promise of broken) console.error(`broken: ${promise}`)
    process.exitCode = broken.length === 0 ? 0 : 1
  })
  .finally(() => rmSync(directory, { recursive: true, force: true }))
