import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { type ResumableUploadOptions, resumableUpload, tusUpload } from 'koa-resumable-upload'
import { createFsStore, sanitizeKey } from 'upload-store'

const directory = await mkdtemp('uploads-')
const store = createFsStore(directory)
const resolveTarget: ResumableUploadOptions['resolveTarget'] = ({ path }) =>
  path === '/files' ? { key: sanitizeKey('film.mp4') } : null
const app = new Koa()
app.use(resumableUpload(store, { resolveTarget }))
app.use(tusUpload(store, { path: '/tus' }))
const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo
const url = `http://127.0.0.1:${port}/files`
const begun = await fetch(url, { method: 'POST', headers: { 'Upload-Complete': '?0' }, body: 'hello ' })
const rest = { 'Content-Type': 'application/partial-upload', 'Upload-Offset': '6', 'Upload-Complete': '?1' }
const upload = new URL(begun.headers.get('location') ?? '', url)
const done = await fetch(upload, { method: 'PATCH', headers: rest, body: 'world' })
assert.deepEqual([begun.status, done.status, (await store.get('film.mp4'))?.size], [201, 201, 11])
const tus = {
  'Tus-Resumable': '1.0.0',
  'Upload-Length': '5',
  'Content-Type': 'application/offset+octet-stream',
}
const created = await fetch(url.replace('/files', '/tus'), { method: 'POST', headers: tus, body: 'hello' })
assert.deepEqual([created.status, created.headers.get('upload-offset')], [201, '5'])
server.close()
server.closeAllConnections()
await store.close()
await rm(directory, { recursive: true })
