import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'
import { listen, root } from './listen.ts'

// It answers without a flush, so an upload that it has acknowledged may be lost in a power cut.
const server = new Server({ path: '/files', datastore: new FileStore({ directory: root }) })
listen((request, response) => void server.handle(request, response))
