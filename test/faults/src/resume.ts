import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { planBreaks } from './breaks.ts'
import { withDirectory } from './ground.ts'
import { Keystream } from './keystream.ts'
import { RestartedServer } from './restarted-server.ts'
import { ResumingClient } from './resuming-client.ts'

const MEBIBYTE = 1024 ** 2

/** What breaks may cost each on average, in bytes: the kernels' buffers hold so much of a connection on loopback. */
const MAX_SENT_AGAIN = 8 * MEBIBYTE

export interface ResumePlan {
  /** Of the content, in bytes. */
  readonly size: number
  readonly kills: number
  readonly drops: number
  /** The same seed, the same content and breaks. */
  readonly seed: string
  readonly onProgress?: (text: string) => void
}

/** What came of an upload through breaks. */
export interface Resumed {
  readonly plan: ResumePlan
  /** In ms. */
  readonly time: number
  readonly client: Pick<ResumingClient, 'done' | 'met' | 'sentAgain' | 'mostSentAgain'>
  readonly faults: readonly string[]
}

/** Uploads to a real server that is killed, over connections that are dropped, and looks for broken promises. */
export function resumeThroughBreaks(plan: ResumePlan): Promise<Resumed> {
  return withDirectory(async (directory) => {
    const { size, kills, drops, seed, onProgress = () => {} } = plan
    const start = Date.now()
    const server = new RestartedServer(directory)
    const { url } = await server.running
    const content = new Keystream(`${seed} content`)
    const client = new ResumingClient({
      url,
      content,
      size,
      breaks: planBreaks(size, kills, drops, new Keystream(`${seed} breaks`)),
      kill: () => server.kill(),
      onProgress,
    })
    const faults: string[] = []
    try {
      const object = JSON.parse(await client.upload()) as StoredVideo
      faults.push(...(await judgeContent(object, content, plan)), ...judgeCosts(client, plan))
    } catch (error) {
      faults.push(`the client could not go on: ${error}`)
    }
    await server.stop()
    const left = readdirSync(`${directory}/staging`).filter(
      (name) => name !== `${basename(client.location)}.json`,
    )
    if (left.length > 0) faults.push(`${left} is left beside the receipt`)
    return { plan, time: Date.now() - start, client, faults: [...client.faults, ...server.faults, ...faults] }
  })
}

export interface StoredVideo {
  readonly video_url: string
  readonly size: number
  readonly digest: string
}

/** Compares the object, and the bytes that the server sends, with the content. Returns what is wrong. */
export async function judgeContent(
  object: StoredVideo,
  content: Keystream,
  { size }: Pick<ResumePlan, 'size'>,
): Promise<string[]> {
  const wanted = createHash('sha256')
  for (const chunk of content.chunks(0, size)) wanted.update(chunk)
  const digest = wanted.digest('hex')
  const response = await fetch(object.video_url)
  const read = createHash('sha256')
  for await (const chunk of response.body ?? []) read.update(chunk)
  const found = read.digest('hex')
  const { items } = (await (await fetch(new URL('/videos', object.video_url))).json()) as { items: unknown[] }
  const faults: string[] = []
  if (items.length !== 1) faults.push(`${items.length} objects came of one upload`)
  if (object.digest !== digest || object.size !== size)
    faults.push(`the server stored ${object.size} bytes of digest ${object.digest}, not ${size} of ${digest}`)
  if (found !== digest) faults.push(`${response.status} brought bytes of digest ${found}, not ${digest}`)
  return faults
}

function judgeCosts({ done, sentAgain }: ResumingClient, { kills, drops }: ResumePlan): string[] {
  const most = (kills + drops) * MAX_SENT_AGAIN
  const faults: string[] = []
  if (done.kill !== kills || done.drop !== drops)
    faults.push(`${done.kill} kills and ${done.drop} drops came of ${kills} and ${drops}`)
  if (sentAgain > most)
    faults.push(`${inMebibytes(sentAgain)} were sent again, more than ${inMebibytes(most)}`)
  return faults
}

export function inMebibytes(bytes: number): string {
  return `${(bytes / MEBIBYTE).toFixed(1)} MiB`
}

/** For people: a Markdown table, and a line for each fault. */
export function describeResumed({ plan, time, client, faults }: Resumed): string {
  const { done, met, sentAgain, mostSentAgain } = client
  const counts = [...met].sort().map(([what, count]) => `${what} (${count})`)
  const most = inMebibytes((plan.kills + plan.drops) * MAX_SENT_AGAIN)
  const rows = [
    ['breaks', `${done.kill} kills of the server, ${done.drop} dropped connections`],
    ['time', `${(time / 1000).toFixed(1)} s`],
    ['sent behind the offset that was told next', `${inMebibytes(sentAgain)} of at most ${most}`],
    ['the most of that after one break', inMebibytes(mostSentAgain)],
    ['answers and broken connections', counts.join(', ')],
    ['broken promises', String(faults.length)],
  ]
  const title = `A resumable upload of ${inMebibytes(plan.size)}, --seed ${plan.seed}`
  const lines = [['', ''], ['---', '---'], ...rows].map((cells) => `| ${cells.join(' | ')} |`)
  return [title, '', ...lines, ...faults.map((fault) => `    ${fault}`)].join('\n')
}
