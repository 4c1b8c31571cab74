import { randomInt } from 'node:crypto'
import type { Agent } from 'node:http'
import { type Answer, send } from './http.ts'
import type { Tally } from './promises.ts'

export interface World {
  readonly base: string
  readonly agent: Agent
  readonly tally: Tally
  /** All content is a slice of this. */
  readonly bytes: Buffer
  /** Of the object that everybody reads; it is all of `bytes`. */
  readonly shared: string
}

/** What one client does, at random, until `signal` says so; its objects are its own. */
export async function live(world: World, name: string, signal: AbortSignal): Promise<void> {
  const acts = [
    byPut,
    byForm,
    inTwoParts,
    range,
    range,
    several,
    whole,
    revalidate,
    leave,
    cutUpload,
    list,
    remove,
  ]
  while (!signal.aborted) {
    const act = acts[randomInt(acts.length)] ?? range
    const started = performance.now()
    try {
      const bytes = await act(world, name)
      world.tally.add(act.name, bytes, performance.now() - started)
    } catch (error) {
      world.tally.fail(act.name, error instanceof Error ? error.message : String(error))
    }
  }
}

function expectStatus(answer: Answer | null, ...statuses: readonly number[]): Answer {
  if (answer === null) throw new Error('no answer')
  if (!statuses.includes(answer.status))
    throw new Error(`${answer.status} in place of ${statuses.join(' or ')}: ${answer.body.subarray(0, 300)}`)
  return answer
}

const sizeOf = (most: number): number => randomInt(1, most)

async function byPut({ base, agent, bytes }: World, name: string): Promise<number> {
  const body = bytes.subarray(0, sizeOf(300_000))
  expectStatus(await send(base, agent, { method: 'PUT', path: `/videos/${name}`, body }), 200, 201)
  return body.length
}

async function byForm({ base, agent, bytes }: World, name: string): Promise<number> {
  const content = bytes.subarray(0, sizeOf(300_000))
  const head = `--b\r\nContent-Disposition: form-data; name="file"; filename="${name}-form"\r\n\r\n`
  const body = Buffer.concat([Buffer.from(head), content, Buffer.from('\r\n--b--\r\n')])
  const headers = { 'content-type': 'multipart/form-data; boundary=b' }
  const answer = expectStatus(await send(base, agent, { method: 'POST', path: '/video', headers, body }), 201)
  const { key } = JSON.parse(answer.body.toString())
  expectStatus(await send(base, agent, { method: 'DELETE', path: `/videos/${key}` }), 204)
  return content.length
}

async function inTwoParts({ base, agent, bytes }: World, name: string): Promise<number> {
  const content = bytes.subarray(0, sizeOf(300_000) + 1)
  const half = content.length >> 1
  const version = { 'upload-draft-interop-version': 9 }
  const first = { ...version, 'upload-complete': '?0' }
  const path = `/videos/${name}`
  const begun = await send(base, agent, {
    method: 'PUT',
    path,
    headers: first,
    body: content.subarray(0, half),
  })
  const { location = '' } = expectStatus(begun, 201).headers
  const upload = new URL(location, base).pathname
  const state = expectStatus(await send(base, agent, { method: 'HEAD', path: upload, headers: version }), 204)
  const headers = {
    ...version,
    'upload-complete': '?1',
    'upload-offset': String(state.headers['upload-offset']),
    'content-type': 'application/partial-upload',
  }
  const rest = { method: 'PATCH', path: upload, headers, body: content.subarray(half) }
  expectStatus(await send(base, agent, rest), 200, 201)
  return content.length
}

async function range({ base, agent, bytes, shared }: World): Promise<number> {
  const start = randomInt(bytes.length - 65_536)
  const headers = { range: `bytes=${start}-${start + 65_535}` }
  const answer = expectStatus(
    await send(base, agent, { method: 'GET', path: `/videos/${shared}`, headers }),
    206,
  )
  if (!answer.body.equals(bytes.subarray(start, start + 65_536))) throw new Error('other bytes')
  return answer.body.length
}

async function several({ base, agent, bytes, shared }: World): Promise<number> {
  const headers = { range: `bytes=0-99,${bytes.length >> 1}-${(bytes.length >> 1) + 999}` }
  const answer = expectStatus(
    await send(base, agent, { method: 'GET', path: `/videos/${shared}`, headers }),
    206,
  )
  return answer.body.length
}

async function whole({ base, agent, bytes, shared }: World): Promise<number> {
  const answer = expectStatus(await send(base, agent, { method: 'GET', path: `/videos/${shared}` }), 200)
  if (!answer.body.equals(bytes)) throw new Error('other bytes')
  return answer.body.length
}

async function revalidate({ base, agent, shared }: World): Promise<number> {
  const path = `/videos/${shared}`
  const { etag = '' } = expectStatus(await send(base, agent, { method: 'HEAD', path }), 200).headers
  expectStatus(await send(base, agent, { method: 'GET', path, headers: { 'if-none-match': etag } }), 304)
  expectStatus(await send(base, agent, { method: 'GET', path, headers: { range: 'bytes=999999999-' } }), 416)
  return 0
}

async function leave({ base, agent, bytes, shared }: World): Promise<number> {
  const leaveAfter = randomInt(bytes.length >> 1)
  await send(base, agent, { method: 'GET', path: `/videos/${shared}`, leaveAfter })
  return leaveAfter
}

async function cutUpload({ base, agent, bytes }: World, name: string): Promise<number> {
  const cutAt = sizeOf(200_000)
  const path = `/videos/${name}-cut`
  await send(base, agent, { method: 'PUT', path, body: bytes.subarray(0, 300_000), cutAt })
  expectStatus(await send(base, agent, { method: 'HEAD', path }), 404)
  return cutAt
}

async function list({ base, agent }: World): Promise<number> {
  const answer = expectStatus(await send(base, agent, { method: 'GET', path: '/videos?limit=20' }), 200)
  if (!Array.isArray(JSON.parse(answer.body.toString()).items)) throw new Error('no list')
  return answer.body.length
}

async function remove({ base, agent }: World, name: string): Promise<number> {
  expectStatus(await send(base, agent, { method: 'DELETE', path: `/videos/${name}` }), 204, 404)
  return 0
}
