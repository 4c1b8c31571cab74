import { fileTypeFromBuffer } from 'file-type'
import { createApp, loadConfig } from 'koa-range-server'
import { createFsStore } from 'upload-store'
import { listen, mode, root } from './listen.ts'

const config = loadConfig(['--data', root, '--accept', '*/*', '--log-level', 'silent'], {})
const store = createFsStore(config.data, {
  maxFileSize: config.maxFileSize,
  accept: config.accept,
  detectType: async (head) => (await fileTypeFromBuffer(head))?.mime,
  durability: mode === 'none' ? 'none' : 'full',
})
listen(createApp(config, store).callback())
