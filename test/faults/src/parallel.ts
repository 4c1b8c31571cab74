import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type HttpRequest,
  type HttpResponse,
  type PreviousUpload,
  Upload,
  type UrlStorage,
} from 'tus-js-client'
import { BreakingProxy } from './breaking-proxy.ts'
import { planBreaks } from './breaks.ts'
import { withDirectory } from './ground.ts'
import { Keystream } from './keystream.ts'
import { RestartedServer } from './restarted-server.ts'
import { inMebibytes, judgeContent, type ResumePlan, type StoredVideo } from './resume.ts'

const PARTS = 4
const CHUNK = 1024 ** 2
const NAME = 'parallel.bin'

/** The client tries again after these times in ms, and counts anew after each response that brings it on. */
const RETRY_DELAYS = Array.from({ length: 100 }, () => 100)

/** How often an app would start the whole upload again, which resumes its parts. */
const MAX_STARTS = 20

/** What came of a parallel upload through breaks. */
export interface ParallelUpload {
  readonly plan: ResumePlan
  /** In ms. */
  readonly time: number
  readonly kills: number
  readonly drops: number
  /** How often the app had to start the upload again, because the request that joins the parts had no response. */
  readonly starts: number
  /** Bytes, without the first time that each was sent. */
  readonly sentAgain: number
  readonly faults: readonly string[]
}

/** Uploads by tus-js-client in four parts at once, through breaks, and looks for broken promises. */
export function uploadInParallel(plan: ResumePlan): Promise<ParallelUpload> {
  return withDirectory(async (directory) => {
    const { size, kills, drops, seed, onProgress = () => {} } = plan
    const start = Date.now()
    const content = new Keystream(`${seed} content`)
    const file = join(directory, 'content')
    await writeContent(file, content, size)
    const data = join(directory, 'data')
    const server = new RestartedServer(data)
    const { url } = await server.running
    const proxy = new BreakingProxy({
      port: Number(new URL(url).port),
      // The two other breaks are those of the final request.
      breaks: planBreaks(size, kills - 1, drops - 1, new Keystream(`${seed} breaks`)),
      kill: () => server.kill(),
      onProgress,
    })
    const client = new ParallelClient(await proxy.listen(), file)
    const faults: string[] = []
    try {
      await client.upload()
      // The proxy kills the server also after the last response that it loses.
      await server.running
      faults.push(...(await judgeContent(await storedAt(url), content, plan)))
    } catch (error) {
      faults.push(`the client could not continue: ${error}`)
    }
    const { done, sent } = proxy
    if (done.kill !== kills || done.drop !== drops)
      faults.push(`${done.kill} kills and ${done.drop} drops happened, not ${kills} and ${drops}`)
    await server.stop()
    await proxy.close()
    const left = await leftFiles(join(data, 'staging'))
    if (left.length !== PARTS || !left.every((name) => name.endsWith('.json')))
      faults.push(`the staging area has ${left}, not only the receipts of the ${PARTS} parts`)
    return {
      plan,
      time: Date.now() - start,
      kills: done.kill,
      drops: done.drop,
      starts: client.starts,
      sentAgain: Math.max(0, sent - size),
      faults: [...client.faults, ...server.faults, ...faults],
    }
  })
}

/**
 * Returns the names of the files in the staging area, without those of uploads that have no byte. If a break loses the
 * response to a creation, the client creates the part again, and the server keeps the first one until it expires.
 */
async function leftFiles(staging: string): Promise<readonly string[]> {
  const names = await readdir(staging)
  const sizes = names.map(async (name) => [name, (await stat(join(staging, name))).size] as const)
  const empty = (await Promise.all(sizes))
    .filter(([name, size]) => name.endsWith('.part') && size === 0)
    .map(([name]) => name.slice(0, -'.part'.length))
  return names.filter((name) => !empty.some((id) => name.startsWith(`${id}.`)))
}

async function writeContent(file: string, content: Keystream, size: number): Promise<void> {
  const output = createWriteStream(file)
  for (const chunk of content.chunks(0, size)) if (!output.write(chunk)) await once(output, 'drain')
  output.end()
  await once(output, 'close')
}

/** The video as the listing describes it. */
async function storedAt(url: string): Promise<StoredVideo> {
  const { items } = (await (await fetch(new URL('/videos', url))).json()) as { items: StoredVideo[] }
  const [video] = items
  if (video === undefined) throw new Error('The listing is empty.')
  return video
}

/** An app that uploads with tus-js-client, and checks that no offset moves back. */
class ParallelClient {
  readonly #endpoint: string
  readonly #file: string
  readonly #urls = new KeptUrls()
  /** The largest offset that a response has reported, by upload. */
  readonly #reported = new Map<string, number>()
  /** The same at the time when each request was sent. */
  readonly #known = new WeakMap<HttpRequest, number>()
  readonly faults: string[] = []
  starts = 0

  constructor(proxy: string, file: string) {
    this.#endpoint = `${proxy}/files`
    this.#file = file
  }

  async upload(): Promise<void> {
    for (;;) {
      this.starts++
      try {
        return await this.#start()
      } catch (error) {
        if (this.starts === MAX_STARTS) throw error
        await delay(100)
      }
    }
  }

  async #start(): Promise<void> {
    const [previous] = await this.#urls.findAllUploads()
    await new Promise<void>((resolve, reject) => {
      const upload = new Upload(createReadStream(this.#file), {
        endpoint: this.#endpoint,
        metadata: { filename: NAME },
        parallelUploads: PARTS,
        chunkSize: CHUNK,
        retryDelays: RETRY_DELAYS,
        urlStorage: this.#urls,
        removeFingerprintOnSuccess: true,
        onBeforeRequest: (request) =>
          void this.#known.set(request, this.#reported.get(request.getURL()) ?? 0),
        onAfterResponse: (request, response) => this.#check(request, response),
        onSuccess: () => resolve(),
        onError: reject,
      })
      if (previous !== undefined) upload.resumeFromPreviousUpload(previous)
      upload.start()
    })
  }

  #check(request: HttpRequest, response: HttpResponse): void {
    const field = response.getHeader('Upload-Offset')
    if (field === undefined) return
    const offset = Number(field)
    const url = request.getURL()
    // Requests for a part overlap when the app starts the upload again, and so may their responses.
    const known = this.#known.get(request) ?? 0
    if (!(offset >= known))
      this.faults.push(
        `${request.getMethod()} ${url} reported offset ${offset}, although ${known} was known when it was sent`,
      )
    this.#reported.set(url, Math.max(offset, this.#reported.get(url) ?? 0))
  }
}

/** What a page keeps in its localStorage. */
class KeptUrls implements UrlStorage {
  readonly #kept = new Map<string, PreviousUpload>()

  async addUpload(fingerprint: string, upload: PreviousUpload): Promise<string> {
    this.#kept.set(fingerprint, { ...upload, urlStorageKey: fingerprint })
    return fingerprint
  }
  async removeUpload(key: string): Promise<void> {
    this.#kept.delete(key)
  }
  async findAllUploads(): Promise<PreviousUpload[]> {
    return [...this.#kept.values()]
  }
  async findUploadsByFingerprint(fingerprint: string): Promise<PreviousUpload[]> {
    return [this.#kept.get(fingerprint) ?? []].flat()
  }
}

/** For people: a line of results, and a line for each fault. */
export function describeParallel({
  plan,
  time,
  kills,
  drops,
  starts,
  sentAgain,
  faults,
}: ParallelUpload): string {
  const title = `A parallel upload of ${inMebibytes(plan.size)} in ${PARTS} parts, --seed ${plan.seed}`
  const counts = `${kills} kills of the server, ${drops} dropped connections, ${starts} starts of the client`
  const costs = `${(time / 1000).toFixed(1)} s, ${inMebibytes(sentAgain)} sent again`
  const result = `${faults.length} broken promises`
  return [`${title}: ${counts}, ${costs}, ${result}`, ...faults.map((fault) => `    ${fault}`)].join('\n')
}
