import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { Server } from '@tus/server'
import { tusDataStore } from 'koa-resumable-upload'
import { createFsStore } from 'upload-store'

const directory = await mkdtemp('tus-')
const store = createFsStore(directory)
const datastore = tusDataStore(store)
const server = new Server({ path: '/files', relativeLocation: true, datastore, ...datastore.hooks })
assert.equal(typeof server.handle, 'function')
await store.close()
await rm(directory, { recursive: true })
