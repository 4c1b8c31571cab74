import { readdir, readFile, readlink } from 'node:fs/promises'
import type { Socket } from 'node:net'

/** The processes that `pid` has started and that still run. */
export async function childrenOf(pid: number | undefined): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  const pids = text.split(' ').filter((each) => each !== '')
  return pids.map(Number)
}

/** Whether a process is there and no zombie. */
export async function isRunning(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return text !== '' && !/\) [ZX] /.test(text)
}

/** Which of `pids` holds the server's end of a connection from here, by what the kernel says. */
export async function holderOf(socket: Socket, pids: readonly number[]): Promise<number | undefined> {
  const hexadecimal = (port = 0) => `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const ends = `${hexadecimal(socket.remotePort)} ${hexadecimal(socket.localPort)} `
  const row = (await readFile('/proc/net/tcp', 'utf8')).split('\n').find((line) => line.includes(ends))
  const inode = row?.trim().split(/\s+/)[9]
  for (const pid of pids) {
    for (const descriptor of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '')
      if (target === `socket:[${inode}]`) return pid
    }
  }
  return undefined
}
