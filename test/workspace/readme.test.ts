import { execFile } from 'node:child_process'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { formWith } from '../support/app.ts'
import { REPOSITORY, ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { describeWith } from '../support/tools.ts'
import { blocks, listening, outputOf, statusesWithoutFile } from './snippets.ts'

describeWith(['curl'], "the README's curl lines", () => {
  it('print what the README says, run as written', async () => {
    const [lines = ''] = (await blocks('README.md', 'sh')).filter((block) => block.includes('curl'))
    const directory = await temporaryDirectory()
    await cp(join(REPOSITORY, 'apps'), join(directory, 'apps'), {
      recursive: true,
      filter: (path) => !path.includes('node_modules'),
    })
    const server = new ServerProcess(['--port', '0', '--data', join(directory, 'data')])
    onTestFinished(async () => void (await server.stop('SIGKILL')))
    const base = await server.url()
    const checked: string[] = []
    const [variable = '', ...pairs] = lines.trim().split('\n')
    const toServer = (text: string) => text.replaceAll('http://127.0.0.1:8000', base)
    for (let at = 0; at < pairs.length; at += 2) {
      const [comment = '', command = ''] = pairs.slice(at, at + 2)
      const script = `${toServer(variable)}\n${toServer(command)}`
      const { stdout } = await promisify(execFile)('sh', ['-c', script], { cwd: directory })
      // A comment has the status; a text in quotes has to be in the output as well.
      const [, status = '', quoted] = /: (\d{3})(?:[^"]*"(.*)")?/.exec(comment) ?? []
      expect(stdout, command).toContain(status)
      if (quoted !== undefined) expect(stdout, command).toContain(quoted)
      checked.push(status)
    }
    expect(checked).toEqual(['201', '200', '206', '206', '304', '416'])
  })
})

describe('the quick starts', () => {
  it.each(['README.md', 'packages/koa-range-stream/README.md'])(
    'of %s serves ranges over koa-static',
    async (readme) => {
      const [code = ''] = await blocks(readme, 'ts')
      const url = `${await listening(code)}/sample.mp4`
      const part = await fetch(url, { headers: { range: 'bytes=4-7' } })
      expect([part.status, await part.text()]).toEqual([206, 'ftyp'])
      const headers = { 'if-none-match': part.headers.get('etag') ?? '' }
      expect((await fetch(url, { headers })).status).toBe(304)
    },
  )

  it('of range-core prints what its comments say', async () => {
    const [code = ''] = await blocks('packages/range-core/README.md', 'ts')
    const stdout = await outputOf(code)
    const comments = [...code.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, text]) => text)
    expect(comments.length).toBeGreaterThan(0)
    expect(stdout.trimEnd().split('\n')).toEqual(comments)
  })

  it('of upload-store stores and reads back', async () => {
    const [code = ''] = await blocks('packages/upload-store/README.md', 'ts')
    const print =
      'let length = 0\nfor await (const chunk of stream ?? []) length += chunk.length\nconsole.log(key, length)'
    const stdout = await outputOf(`${code}\n${print}`)
    expect(stdout).toBe('clip.mp4 100\n')
  })

  it('of upload-store pauses an upload and resumes it', async () => {
    const code = (await blocks('packages/upload-store/README.md', 'ts')).find((block) =>
      block.includes('resumeUpload('),
    )
    const print = "console.log(offset, (await store.get('film.mp4'))?.size)"
    const stdout = await outputOf(`${code}\n${print}`)
    expect(stdout).toBe('6 11\n')
  })

  it('of koa-resumable-upload takes an upload in two parts', async () => {
    const [code = ''] = await blocks('packages/koa-resumable-upload/README.md', 'ts')
    const base = await listening(code)
    const headers = { 'Upload-Complete': '?0' }
    const begun = await fetch(`${base}/files?name=film.mp4`, { method: 'POST', headers, body: 'hello ' })
    const upload = new URL(begun.headers.get('location') ?? '', base)
    const more = {
      'Content-Type': 'application/partial-upload',
      'Upload-Offset': '6',
      'Upload-Complete': '?1',
    }
    const done = await fetch(upload, { method: 'PATCH', headers: more, body: 'world' })
    expect([begun.status, done.status]).toEqual([201, 201])
    expect(await done.json()).toMatchObject({ key: 'film.mp4', size: 11 })
    expect(new Set(await statusesWithoutFile(`${base}/files`))).toEqual(new Set([404]))
  })

  it('of tus takes an upload in two parts', async () => {
    const code = (await blocks('packages/koa-resumable-upload/README.md', 'ts')).find((block) =>
      block.includes('tusUpload'),
    )
    const base = await listening(code ?? '')
    const options = await fetch(`${base}/files`, { method: 'OPTIONS' })
    expect(options.headers.get('tus-checksum-algorithm')).toContain('sha1')
    const tus = { 'Tus-Resumable': '1.0.0', 'Content-Type': 'application/offset+octet-stream' }
    const begun = await fetch(`${base}/files`, {
      method: 'POST',
      headers: { ...tus, 'Upload-Length': '11' },
      body: 'hello ',
    })
    const upload = new URL(begun.headers.get('location') ?? '', base)
    const more = { ...tus, 'Upload-Offset': '6' }
    const done = await fetch(upload, { method: 'PATCH', headers: more, body: 'world' })
    expect([begun.status, done.status, done.headers.get('upload-offset')]).toEqual([201, 204, '11'])
    expect(new Set(await statusesWithoutFile(`${base}/files`))).toEqual(new Set([412]))
  })
})

describe('the examples', () => {
  it('of koa-range-stream serves a file by its name, and none outside of the folder', async () => {
    const code = (await blocks('packages/koa-range-stream/README.md', 'ts')).find((block) =>
      block.includes('fileContent('),
    )
    const base = await listening(`${code}\napp.use(router.routes())`)
    const part = await fetch(`${base}/films/sample.mp4`, { headers: { range: 'bytes=4-7' } })
    expect([part.status, await part.text()]).toEqual([206, 'ftyp'])
    expect(part.headers.get('content-disposition')).toBe('attachment; filename="sample.mp4"')
    expect((await fetch(`${base}/films/..%2fclip.mp4`)).status).toBe(404)
  })

  it('of upload-store takes a form, and says what is wrong with one', async () => {
    const code = await blocks('packages/upload-store/README.md', 'ts')
    const [form, errors] = ['multerStorage(', 'uploadErrorStatus('].map((word) =>
      code.find((block) => block.includes(word)),
    )
    const base = await listening(`${errors}\n${form}\napp.use(router.routes())`)
    const send = (field: string, content: string) =>
      fetch(`${base}/video`, { method: 'POST', body: formWith(field, 'clip.mp4', content) })
    const stored = await send('file', 'hello')
    expect([stored.status, await stored.json()]).toMatchObject([200, { key: 'clip.mp4', size: 5 }])
    expect((await send('file', 'x'.repeat(1024 ** 2 + 1))).status).toBe(413)
    expect(await statusesWithoutFile(`${base}/video`)).toEqual([422, 400, 422, 422, 422, 400, 422])
  })
})
