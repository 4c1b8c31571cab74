import { connect } from 'node:net'

/** Sends bytes as they are and gives back all that comes until the server closes. */
export function exchange(url: string, request: string): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(request, 'latin1'))
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
