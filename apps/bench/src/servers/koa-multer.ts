import { createHash, randomUUID } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import multer from '@koa/multer'
import Koa from 'koa'
import { listen, mode, root } from './listen.ts'

const disk = multer.diskStorage({
  destination: root,
  // At once, where multer's own random names come later: the stream must not flow before it is written.
  filename: (_request, _file, done) => done(null, randomUUID()),
})

/** diskStorage that also hashes what it writes. */
const hashing: multer.StorageEngine = {
  _handleFile: (request, file, callback) => {
    const hash = createHash('sha256')
    if ('stream' in file && file.stream instanceof Readable) {
      file.stream.on('data', (chunk: Buffer) => hash.update(chunk))
    }
    disk._handleFile(request, file, (error, info) => {
      callback(error, info && Object.assign(info, { digest: hash.digest('hex') }))
    })
  },
  _removeFile: (request, file, callback) => disk._removeFile(request, file, callback),
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  await handle.sync()
  await handle.close()
}

const app = new Koa()
app.use(multer({ storage: mode === 'hash' ? hashing : disk }).single('file'))
app.use(async (ctx) => {
  const { file } = ctx
  if (mode === 'fsync') {
    await sync(join(root, file.filename))
    await sync(root)
  }
  ctx.status = 201
  ctx.body = { key: file.filename, size: file.size, digest: 'digest' in file ? file.digest : undefined }
})
listen(app.callback())
