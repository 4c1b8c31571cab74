// Asks a server for /healthz every 5 ms on one connection, in a process of its own: a client that is busy elsewhere
// would measure itself. Requests go out at their time whether or not the one before is answered, so that a server that
// stands still is seen as often as it was asked.
import { connect } from 'node:net'

const { hostname, port } = new URL(process.argv[2])
const socket = connect({ host: hostname, port: Number(port), noDelay: true })
const sent = []
let latencies = []
let tail = ''
let started = false

socket.setEncoding('latin1')
socket.on('data', (text) => {
  const now = performance.now()
  const parts = (tail + text).split('{"status":"ok"}')
  tail = parts.pop()
  for (const _ of parts) latencies.push(now - sent.shift())
  // With the first answer: from here on everything is as it stays.
  if (!started) process.send('started')
  started = true
})
socket.on('close', () => process.exit())

setInterval(() => {
  sent.push(performance.now())
  socket.write('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
}, 5)

// Asked: what was measured since it was asked before, with what is unanswered as long as it has been waiting.
process.on('message', () => {
  const now = performance.now()
  process.send(latencies.concat(sent.map((at) => now - at)))
  latencies = []
})
process.on('disconnect', () => process.exit())
