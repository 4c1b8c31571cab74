import { connect } from 'node:net'

/** Sends bytes as they are and resolves to everything that the server sends until it closes the connection. */
export function exchange(url: string, request: string, localAddress?: string): Promise<string> {
  const { hostname: host, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const options = { host, port: Number(port), ...(localAddress === undefined ? {} : { localAddress }) }
    const socket = connect(options, () => socket.write(request, 'latin1'))
    let answer = ''
    socket.setEncoding('latin1')
    socket.on('data', (text) => {
      answer += text
    })
    socket.on('end', () => resolve(answer))
    socket.on('error', reject)
    socket.setTimeout(10_000, () =>
      socket.destroy(new Error(`No end of the answer: ${answer.slice(0, 200)}`)),
    )
  })
}
