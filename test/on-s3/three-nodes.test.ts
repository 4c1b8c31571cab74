import { createHash, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { startProxy } from '../support/proxy.ts'
import { askOffset, begin, locationOf } from '../support/resumable.ts'
import { ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { describeWith } from '../support/tools.ts'

const MEBIBYTE = 1024 ** 2
const PART = 8 * MEBIBYTE
const CACHED = ['--cache-control', 'public, s-maxage=60, max-age=0, must-revalidate']
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

interface Node {
  readonly url: string
  readonly server: ServerProcess
}

/** Servers that have nothing in common but the bucket. */
async function startNodes(): Promise<readonly [Node, Node, Node]> {
  const data = await temporaryDirectory()
  const flags = [
    '--port',
    '0',
    '--data',
    data,
    '--accept',
    '*/*',
    '--trust-proxy',
    '--allow-anonymous',
    ...CACHED,
  ]
  const start = async () => {
    const server = new ServerProcess(flags)
    onTestFinished(async () => void (await server.stop('SIGKILL')))
    return { server, url: await server.url() }
  }
  return Promise.all([start(), start(), start()])
}

/** What happens, in order and with times: `npm run nodes` is for reading it. */
function journal() {
  const start = performance.now()
  const lines: string[] = []
  onTestFinished(() => console.log(lines.join('\n')))
  return (text: string) =>
    lines.push(`${((performance.now() - start) / 1000).toFixed(2).padStart(6)} s  ${text}`)
}

async function keysAt({ url }: Node): Promise<readonly string[]> {
  const { items } = (await (await fetch(`${url}/videos`)).json()) as { items: readonly { key: string }[] }
  return items.map(({ key }) => key)
}

async function digestAt(url: string): Promise<string> {
  const response = await fetch(url)
  expect(response.status).toBe(200)
  return sha256(new Uint8Array(await response.arrayBuffer()))
}

/** Appends half of `content` to the upload and then stalls, until the node has told that so much is safe. */
async function appendSlowly(url: string, location: string, content: Buffer, safe: number): Promise<number> {
  const headers = {
    'Content-Type': 'application/partial-upload',
    'Content-Length': content.length,
    'Upload-Offset': 0,
    'Upload-Complete': '?1',
    'Upload-Draft-Interop-Version': '10',
  }
  const outgoing = request(new URL(location, url), { method: 'PATCH', headers, agent: false })
  // The node is killed.
  outgoing.on('error', () => {})
  let told = 0
  outgoing.on('information', (information) => {
    told = Math.max(told, Number(information.headers['upload-offset'] ?? 0))
  })
  outgoing.write(content.subarray(0, content.length / 2))
  await expect.poll(() => told, { timeout: 20_000 }).toBeGreaterThanOrEqual(safe)
  return told
}

describeWith(['nginx'], 'three nodes behind nginx, by docs/examples/nginx-nodes.conf', () => {
  it('are one server: what one has stored the others list and stream at once', async () => {
    const nodes = await startNodes()
    const [one, two, three] = nodes
    const say = journal()
    const { url } = await startProxy(
      'nginx',
      'nginx-nodes.conf',
      nodes.map((node) => node.url),
    )
    const video = randomBytes(20 * MEBIBYTE)
    const stored = await fetch(`${one.url}/videos/clip`, { method: 'PUT', body: new Uint8Array(video) })
    expect(stored.status).toBe(201)
    say('20 MiB are put through node 1')
    for (const node of [two, three]) {
      expect(await keysAt(node)).toEqual(['clip'])
      const range = await fetch(`${node.url}/videos/clip`, { headers: { Range: 'bytes=-1000' } })
      expect(Buffer.from(await range.arrayBuffer()).equals(video.subarray(-1000))).toBe(true)
    }
    say('nodes 2 and 3 list it, and give its last 1000 bytes')
    expect(await digestAt(`${url}/get_video_by_name/clip`)).toBe(sha256(video))
    say('nginx gives all of it')
    await fetch(`${two.url}/videos/clip`, { method: 'PUT', body: 'replaced' })
    expect(await digestAt(`${two.url}/videos/clip`)).toBe(sha256(Buffer.from('replaced')))
    await sleep(1000)
    for (const node of nodes)
      expect(await digestAt(`${node.url}/videos/clip`)).toBe(sha256(Buffer.from('replaced')))
    say('node 2 replaces it: at once there, a second later everywhere')
    expect((await fetch(`${three.url}/videos/clip`, { method: 'DELETE' })).status).toBe(204)
    await sleep(1000)
    for (const node of nodes) expect((await fetch(`${node.url}/videos/clip`)).status).toBe(404)
    say('node 3 deletes it: gone everywhere')
  })

  it('lose nothing that was acknowledged when one is killed in mid-upload and another resumes the upload', async () => {
    const nodes = await startNodes()
    const [one] = nodes
    const say = journal()
    const { url } = await startProxy(
      'nginx',
      'nginx-nodes.conf',
      nodes.map((node) => node.url),
    )
    const small = Array.from({ length: 12 }, (_, index) => [`small-${index}`, randomBytes(50_000)] as const)
    for (const [key, bytes] of small) {
      const put = await fetch(`${url}/videos/${key}`, { method: 'PUT', body: new Uint8Array(bytes) })
      expect(put.status).toBe(201)
    }
    say('12 uploads are put through nginx')
    const content = randomBytes(48 * MEBIBYTE)
    const location = locationOf(await begin(url, 'POST', '/video', new Uint8Array()))
    const told = await appendSlowly(one.url, location, content, 2 * PART)
    await one.server.stop('SIGKILL')
    say(`node 1 is killed in the middle of 48 MiB; it had told that ${told} bytes are safe`)
    const asked = await askOffset(url, location)
    const offset = Number(asked.headers.get('Upload-Offset'))
    expect(asked.status).toBe(204)
    expect(offset).toBeGreaterThanOrEqual(told)
    expect(offset).toBeLessThanOrEqual(content.length / 2)
    say(`another one tells the offset ${offset}`)
    const done = await fetch(new URL(location, url), {
      method: 'PATCH',
      headers: {
        'Content-Type': 'application/partial-upload',
        'Upload-Offset': String(offset),
        'Upload-Complete': '?1',
        // Which asks for interim responses.
        'Upload-Draft-Interop-Version': '10',
      },
      body: new Uint8Array(content.subarray(offset)),
    })
    expect(done.status).toBe(201)
    const { video_url, digest, size } = await done.json()
    expect([size, digest]).toEqual([content.length, sha256(content)])
    expect(await digestAt(video_url)).toBe(digest)
    say('and takes the rest; what is stored is what was sent')
    for (const [key, bytes] of small) expect(await digestAt(`${url}/videos/${key}`)).toBe(sha256(bytes))
    say('all that was acknowledged before is there')
  })

  it('are kept from seeing what nginx has in its cache, by slices of 1 MiB', async () => {
    const nodes = await startNodes()
    const { url } = await startProxy(
      'nginx',
      'nginx-nodes.conf',
      nodes.map((node) => node.url),
    )
    const video = randomBytes(5 * MEBIBYTE)
    await fetch(`${url}/videos/clip`, { method: 'PUT', body: new Uint8Array(video) })
    const ask = async (headers: Record<string, string>) => {
      const response = await fetch(`${url}/videos/clip`, { headers })
      const found = [response.status, response.headers.get('X-Cache'), response.headers.get('Content-Range')]
      return { found, fields: response.headers, bytes: Buffer.from(await response.arrayBuffer()) }
    }
    const first = await ask({ Range: 'bytes=4000000-4000099' })
    const range = `bytes 4000000-4000099/${video.length}`
    expect(first.found).toEqual([206, 'MISS', range])
    expect(first.bytes.equals(video.subarray(4_000_000, 4_000_100))).toBe(true)
    for (const node of nodes) await node.server.stop()
    expect((await ask({ Range: 'bytes=4000000-4000099' })).found).toEqual([206, 'HIT', range])
    const etag = first.fields.get('ETag') ?? ''
    expect((await ask({ 'If-None-Match': etag, Range: 'bytes=4000000-' })).found[0]).toBe(304)
  })
})

describeWith(['caddy'], 'three nodes behind Caddy, by docs/examples/Caddyfile-nodes', () => {
  it('answer for one that is gone', async () => {
    const nodes = await startNodes()
    const { url } = await startProxy(
      'caddy',
      'Caddyfile-nodes',
      nodes.map((node) => node.url),
    )
    const video = randomBytes(3 * MEBIBYTE)
    await fetch(`${url}/videos/clip`, { method: 'PUT', body: new Uint8Array(video) })
    await nodes[1].server.stop('SIGKILL')
    for (let round = 0; round < 6; round++) expect(await digestAt(`${url}/videos/clip`)).toBe(sha256(video))
  })
})
