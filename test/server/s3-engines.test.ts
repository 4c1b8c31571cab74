import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import S3rver from 's3rver'
import { expect, it, onTestFinished } from 'vitest'
import { REPOSITORY, ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'

it('refuses an engine that ignores the conditions of writes, with the reason and a remedy', async () => {
  const engine = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory: await temporaryDirectory(),
    configureBuckets: [{ name: 'videos' }],
  })
  const { port } = await engine.run()
  onTestFinished(() => engine.close())
  const flags = ['--store', 's3', '--s3-bucket', 'videos', '--s3-endpoint', `http://127.0.0.1:${port}`]
  const env = { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' }
  const server = new ServerProcess(['--port', '0', ...flags], env)
  onTestFinished(async () => void (await server.stop('SIGKILL')))
  const { code, stderr } = await server.exited
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/^--store s3: .* ignores If-None-Match and If-Match of a PUT.*AWS or Ceph\.\n$/),
  ])
})

it('names the packages to install for S3 if they are missing', async () => {
  const hook = `data:text/javascript,${encodeURIComponent(`
    export async function resolve(specifier, context, next) {
      if (/^(?:@aws-sdk|hash-wasm)/.test(specifier))
        throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
      return next(specifier, context)
    }`)}`
  const preload = `data:text/javascript,${encodeURIComponent(`
    import { register } from 'node:module'
    register(${JSON.stringify(hook)})`)}`
  const main = join(REPOSITORY, 'apps/server/dist/main.js')
  const flags = ['--port', '0', '--store', 's3', '--s3-bucket', 'videos', '--s3-region', 'us-east-1']
  const run = promisify(execFile)(process.execPath, ['--import', preload, main, ...flags])
  await expect(run).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^--store s3 needs .*npm install @aws-sdk\/client-s3/),
  })
})

it('asks for a region if there is neither an endpoint nor a region', async () => {
  const server = new ServerProcess(['--port', '0', '--store', 's3', '--s3-bucket', 'videos'])
  onTestFinished(async () => void (await server.stop('SIGKILL')))
  const { code, stderr } = await server.exited
  expect([code, stderr]).toEqual([2, '--store s3 needs a region. Set --s3-region, or AWS_REGION.\n'])
})
