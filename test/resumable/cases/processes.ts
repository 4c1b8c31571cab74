import { rm } from 'node:fs/promises'
import { expect, onTestFinished } from 'vitest'
import { ON_S3, openTestStore } from '../../support/test-store.mjs'
import { makeDirectory } from '../directory.ts'
import type { Client } from '../exchange.ts'
import { append, cancellation, content, creation, NOTHING, retrieval } from '../requests.ts'
import { type ServerProcess, startProcess } from '../server-process.ts'
import { accepted, type Context, must, ours, pathOf, should, type Theme } from '../suite.ts'

async function storeDirectory(): Promise<string> {
  const directory = await makeDirectory()
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

async function beginAt(the: Context, client: Client, body: Uint8Array = NOTHING): Promise<string> {
  const answer = await the.send(creation(the.key, { complete: false, body }), client)
  expect(answer).toMatchObject({ status: 201 })
  return pathOf(answer.fields['location'])
}

/** The bytes that a store of our own finds in the directory. */
async function expectObject(directory: string, key: string, body: Uint8Array): Promise<void> {
  const found = await openTestStore(directory).get(key)
  const chunks: Buffer[] = []
  if (found !== null) for await (const chunk of await found.stream()) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  expect([found !== null, bytes.length, bytes.equals(body)]).toEqual([true, body.length, true])
}

/** Kills the server, starts one on the same directory and gives a client of it. */
async function restart(the: Context, directory: string, server: ServerProcess) {
  await server.kill()
  const next = await startProcess(directory)
  return { server: next, client: the.connect(next.ports) }
}

/** What a client does that resumes: asks, and sends the rest. */
async function resume(the: Context, client: Client, path: string, body: Buffer) {
  const offset = await the.offsetOf(path, client)
  const rest = { offset, body: body.subarray(offset), complete: true }
  const answer = await the.send(append(path, rest), client)
  expect(answer).toMatchObject({ status: 201, fields: { 'upload-complete': '?1' } })
  return offset
}

async function twoServers(the: Context) {
  const directory = await storeDirectory()
  const servers = await Promise.all([startProcess(directory), startProcess(directory)])
  const [one, other] = servers.map(({ ports }) => the.connect(ports))
  if (one === undefined || other === undefined) throw new Error('There are two servers')
  return { directory, one, other }
}

/** An append of half of `body` that hangs at `client`. */
async function stallAt(client: Client, path: string, body: Buffer) {
  const exchange = client.open(append(path, { offset: 0, complete: true, announced: body.length }))
  exchange.write(body.subarray(0, body.length / 2))
  await accepted(client, path, body.length / 2)
  return exchange
}

export const PROCESSES: Theme = {
  name: 'processes',
  cases: [
    must('4.1.1', 'goes on after SIGKILL between appends from the announced offset', async (the) => {
      const directory = await storeDirectory()
      const body = content(500_000)
      let server = await startProcess(directory)
      let client = the.connect(server.ports)
      const path = await beginAt(the, client, body.subarray(0, 100_000))
      for (let offset = 100_000; offset < 400_000; offset += 150_000) {
        ;({ server, client } = await restart(the, directory, server))
        expect(await the.offsetOf(path, client)).toBe(offset)
        const part = { offset, body: body.subarray(offset, offset + 150_000), complete: false }
        await the.send(append(path, part), client)
      }
      ;({ server, client } = await restart(the, directory, server))
      expect(await resume(the, client, path, body)).toBe(400_000)
      await expectObject(directory, the.key, body)
    }),
    must(
      '4.1.1',
      'goes on after SIGKILL in the middle of an append, never below what it told',
      async (the) => {
        const directory = await storeDirectory()
        const body = content(500_000)
        const server = await startProcess(directory)
        const first = the.connect(server.ports)
        const path = await beginAt(the, first, body.subarray(0, 100_000))
        const stalled = first.open(append(path, { offset: 100_000, complete: true, announced: 400_000 }))
        stalled.write(body.subarray(100_000, 300_000))
        await accepted(first, path, 300_000)
        const { client } = await restart(the, directory, server)
        const offset = await resume(the, client, path, body)
        expect(offset).toBeGreaterThanOrEqual(100_000)
        expect(offset).toBeLessThanOrEqual(300_000)
        await expectObject(directory, the.key, body)
      },
    ),
    ours('4.2.2', 'goes on after SIGKILL in the middle of a creation', async (the) => {
      const directory = await storeDirectory()
      const body = content(500_000)
      const server = await startProcess(directory)
      const first = the.connect(server.ports)
      const creating = first.open(creation(the.key, { complete: true, announced: 500_000 }))
      const told = await creating.interim(({ fields }) => 'location' in fields)
      const path = pathOf(told?.fields['location'])
      creating.write(body.subarray(0, 200_000))
      await accepted(first, path, 200_000)
      const { client } = await restart(the, directory, server)
      expect(await resume(the, client, path, body)).toBeLessThanOrEqual(200_000)
      await expectObject(directory, the.key, body)
    }),
    ...[0, 3, 10, 30].map((wait) =>
      ours('4.4.2', `publishes once after SIGKILL ${wait} ms after the last byte was sent`, async (the) => {
        const directory = await storeDirectory()
        const body = content(500_000)
        const server = await startProcess(directory)
        const first = the.connect(server.ports)
        const path = await beginAt(the, first)
        const last = first.open(append(path, { offset: 0, complete: true, announced: body.length }))
        last.write(body)
        last.end()
        await new Promise((resolve) => setTimeout(resolve, wait))
        const { client } = await restart(the, directory, server)
        await resume(the, client, path, body)
        expect((await the.send(retrieval(path), client)).fields['upload-complete']).toBe('?1')
        await expectObject(directory, the.key, body)
        const { items } = await openTestStore(directory).list()
        expect(items.map(({ key }) => key)).toEqual([the.key])
      }),
    ),
    ours('4.4.2', 'says the final response once more after SIGKILL', async (the) => {
      const directory = await storeDirectory()
      const body = content(50_000)
      const server = await startProcess(directory)
      const first = the.connect(server.ports)
      const path = await beginAt(the, first)
      const answer = await the.send(append(path, { offset: 0, body, complete: true }), first)
      const { client } = await restart(the, directory, server)
      const again = await the.send(append(path, { offset: 50_000, body: NOTHING, complete: true }), client)
      expect(again).toMatchObject({ status: 201, fields: { 'upload-complete': '?1' } })
      expect(again.body.toString()).toBe(answer.body.toString())
    }),
    must('4.6', 'tells through another process what one has taken', async (the) => {
      const { directory, one, other } = await twoServers(the)
      const body = content(100_000)
      const path = await beginAt(the, one)
      await the.send(append(path, { offset: 0, body: body.subarray(0, 60_000), complete: false }), one)
      expect(await the.offsetOf(path, other)).toBe(60_000)
      await resume(the, other, path, body)
      expect((await the.send(retrieval(path), one)).fields).toMatchObject({
        'upload-complete': '?1',
        'upload-offset': '100000',
      })
      await expectObject(directory, the.key, body)
    }),
    should('4.6', 'ends a stalled append in another process', async (the) => {
      const { directory, one, other } = await twoServers(the)
      const body = content(100_000)
      const path = await beginAt(the, one)
      const stalled = await stallAt(one, path, body)
      const begun = performance.now()
      // On S3 nobody can ask the writer for what is not yet durable: it is sent again.
      expect(await the.offsetOf(path, other)).toBe(ON_S3 ? 0 : 50_000)
      const took = performance.now() - begun
      const again = performance.now()
      await the.offsetOf(path, other)
      expect(took).toBeLessThan(2000 + 4 * (performance.now() - again))
      expect((await stalled.outcome)?.status ?? 0).not.toSatisfy((status) => status >= 200 && status < 300)
      await resume(the, other, path, body)
      await expectObject(directory, the.key, body)
    }),
    should('4.5.2', 'ends by a cancellation an append in another process', async (the) => {
      const { directory, one, other } = await twoServers(the)
      const path = await beginAt(the, one)
      const stalled = await stallAt(one, path, content(100_000))
      expect(await the.send(cancellation(path), other)).toMatchObject({ status: 204 })
      expect((await stalled.outcome)?.status ?? 0).not.toSatisfy((status) => status >= 200 && status < 300)
      for (const client of [one, other])
        expect((await the.send(retrieval(path), client)).status).toSatisfy(
          (code) => code === 404 || code === 410,
        )
      expect(await openTestStore(directory).get(the.key)).toBeNull()
    }),
    must('4.6', 'lets never two appends in two processes succeed at one offset', async (the) => {
      const { directory, one, other } = await twoServers(the)
      for (let round = 0; round < 4; round++) {
        const path = await beginAt(the, one)
        const bodies = [content(200_000), content(200_000)]
        const outcomes = await Promise.all(
          [one, other].map(async (client, at) => {
            const body = bodies[at] ?? NOTHING
            const exchange = client.open(append(path, { offset: 0, complete: false, announced: body.length }))
            exchange.write(body)
            exchange.end()
            return exchange.outcome
          }),
        )
        const winners = bodies.filter((_, at) => (outcomes[at]?.status ?? 500) < 300)
        expect(winners.length).toBeLessThanOrEqual(1)
        const offset = await the.offsetOf(path, one)
        await the.send(append(path, { offset, body: NOTHING, complete: true }), one)
        const found = await openTestStore(directory).get(the.key)
        const chunks: Buffer[] = []
        if (found !== null) for await (const chunk of await found.stream()) chunks.push(chunk)
        const bytes = Buffer.concat(chunks)
        const possible = winners.length === 1 ? winners : bodies
        expect(possible.some((body) => body.subarray(0, bytes.length).equals(bytes))).toBe(true)
        if (winners.length === 1) expect(bytes.length).toBe(200_000)
      }
    }),
  ],
}
