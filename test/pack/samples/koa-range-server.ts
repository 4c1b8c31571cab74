import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { type Config, createApp, loadConfig } from 'koa-range-server'
import { createFsStore } from 'upload-store'

const directory = await mkdtemp('videos-')
const config: Config = loadConfig(['--data', directory, '--log-level', 'silent'], {})
const store = createFsStore(config.data)
const server = createApp(config, store).listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo
const url = `http://127.0.0.1:${port}/assets/video/sample.mp4`
const response = await fetch(url, { headers: { range: 'bytes=4-7' } })
assert.deepEqual([response.status, await response.text()], [206, 'ftyp'])
server.close()
server.closeAllConnections()
await store.close()
await rm(directory, { recursive: true })
