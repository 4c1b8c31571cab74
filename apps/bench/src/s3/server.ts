import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ClusterConnection } from '../../../../test/s3/cluster.mjs'

const MAIN = fileURLToPath(new URL('../../../server/dist/main.js', import.meta.url))

interface Node {
  readonly url: string
  stop(): Promise<void>
}

/** koa-range-server as people start it, over the bucket. */
export async function startNode(connection: ClusterConnection): Promise<Node> {
  const { endpoint, bucket, credentials } = connection
  const store = ['--store', 's3', '--s3-endpoint', endpoint, '--s3-bucket', bucket]
  const flags = ['--port', '0', '--log-level', 'silent', '--accept', '*/*', ...store]
  const env = {
    ...process.env,
    NODE_ENV: 'production',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  }
  const child = spawn(process.execPath, [MAIN, ...flags], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const ended = once(child, 'exit')
  const [first] = await Promise.race([once(child.stdout, 'data'), ended.then(() => [''])])
  const url = String(first).split('\n')[0] ?? ''
  if (url === '') throw new Error('koa-range-server did not start.')
  return {
    url,
    stop: async () => {
      process.off('exit', kill)
      kill()
      await ended
    },
  }
}
