import { createHook } from 'node:async_hooks'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { createServer } from 'node:net'

// Loaded with `node --import`, before the server. Counts the calls of the file system and the promises of this process.
// Each connection to the socket WORK_SOCKET is answered with the counts since the connection before it.

let counts = {}
let promises = 0

function count(owner, name, kind) {
  const original = owner[name]
  owner[name] = function (...args) {
    counts[kind] = (counts[kind] ?? 0) + 1
    return Reflect.apply(original, this, args)
  }
  Object.defineProperties(owner[name], Object.getOwnPropertyDescriptors(original))
}

const handle = await fs.promises.open(process.execPath)
const methods = Object.getPrototypeOf(handle)
await handle.close()

const KINDS = {
  opens: ['open', 'readFile', 'writeFile', 'copyFile'],
  links: ['link', 'unlink', 'symlink'],
  flushes: ['fsync', 'fdatasync'],
  stats: ['lstat', 'stat'],
  statfs: ['statfs'],
}
for (const [kind, names] of Object.entries(KINDS)) {
  for (const name of names) {
    for (const [owner, each] of [
      [fs, name],
      [fs, `${name}Sync`],
      [fs.promises, name],
    ])
      if (typeof owner[each] === 'function') count(owner, each, kind)
  }
}
count(methods, 'sync', 'flushes')
count(methods, 'datasync', 'flushes')
syncBuiltinESMExports()

createHook({
  init: (_id, type) => {
    if (type === 'PROMISE') promises++
  },
}).enable()

createServer((socket) => {
  socket.end(JSON.stringify({ promises, ...counts }))
  counts = {}
  promises = 0
})
  .listen(process.env['WORK_SOCKET'])
  .unref()
