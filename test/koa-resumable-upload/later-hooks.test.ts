import { createFsStore } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { runScript } from '../support/node-script.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { send } from './client.ts'
import { append, create, metadata } from './tus-client.ts'

/** A server whose hooks say what they are called with. */
const SERVER = `
  import Koa from 'koa'
  import { resumableUpload, tusUpload } from 'koa-resumable-upload'
  const hooks = {
    onCreate: (_ctx, { key, length }) => {
      say(['onCreate', key, length])
      return { key: 'ann-' + key, metadata: { user: 'ann', rating: 5 } }
    },
    onComplete: async (_ctx, { key, size, metadata, stream }) => {
      let text = ''
      for await (const chunk of await stream()) text += chunk
      say(['onComplete', key, size, metadata.user, metadata.rating, text])
    },
    onCommitted: (_ctx, object, metadata) => say(['onCommitted', object.key, metadata.user, object.metadata]),
  }
  const app = new Koa()
  app.use(tusUpload(store, hooks))
  app.use(resumableUpload(store, { ...hooks, resolveTarget: ({ path }) => ({ key: path.split('/').at(-1) }) }))
  await store.recover()
  const server = app.listen(0, '127.0.0.1', () => say('http://127.0.0.1:' + server.address().port))
`

/** Sends "hel" and "lo", in requests of which `finish` has the last one. */
interface Kind {
  /** Returns the paths of what it has created. */
  begin(url: string): Promise<readonly string[]>
  finish(url: string, paths: readonly string[]): Promise<{ readonly status: number }>
}

const pathIn = ({ headers }: { readonly headers: ReadonlyMap<string, string> }) =>
  new URL(headers.get('location') ?? '', 'http://localhost').pathname

const KINDS: Readonly<Record<'draft' | 'tus' | 'tus in parts', Kind>> = {
  draft: {
    begin: async (url) => {
      const fields = { 'Upload-Complete': '?0', 'Upload-Length': '5' }
      return [pathIn(await send(url, 'POST', '/draft/a', fields, 'hel'))]
    },
    finish: (url, [path = '']) => {
      const type = { 'Content-Type': 'application/partial-upload' }
      return send(url, 'PATCH', path, { ...type, 'Upload-Complete': '?1', 'Upload-Offset': '3' }, 'lo')
    },
  },
  tus: {
    begin: async (url) => [pathIn(await create(url, { 'Upload-Length': '5' }, 'hel'))],
    finish: (url, [path = '']) => append(url, path, 3, 'lo'),
  },
  'tus in parts': {
    begin: async (url) => {
      const part = (text: string) =>
        create(
          url,
          {
            'Upload-Concat': 'partial',
            'Upload-Length': `${text.length}`,
            ...metadata({ filename: 'part' }),
          },
          text,
        )
      return [pathIn(await part('hel')), pathIn(await part('lo'))]
    },
    finish: (url, paths) => create(url, { 'Upload-Concat': `final;${paths.join(' ')}` }),
  },
}

describe.each(['draft', 'tus', 'tus in parts'] as const)('hooks of an upload by %s', (kind) => {
  const { begin, finish } = KINDS[kind]

  it.each([
    ['with a later request', false],
    ['after its server was killed and started again', true],
  ])('keep their metadata with an upload that ends %s', async (_, isKilled) => {
    const directory = await temporaryDirectory()
    const created = ['onCreate', 'a', 5]
    let server = runScript(SERVER, directory)
    let url = String(await server.next())
    const paths = await begin(url)
    // A part is not an upload of its own to the hooks.
    if (kind !== 'tus in parts') expect(await server.next()).toEqual(created)
    if (isKilled) {
      await server.kill('SIGKILL')
      server = runScript(SERVER, directory)
      url = String(await server.next())
    }
    expect([201, 204]).toContain((await finish(url, paths)).status)
    if (kind === 'tus in parts') expect(await server.next()).toEqual(created)
    expect(await server.next()).toEqual(['onComplete', 'ann-a', 5, 'ann', 5, 'hello'])
    const kept = { user: 'ann', rating: 5 }
    expect(await server.next()).toEqual(['onCommitted', 'ann-a', 'ann', kept])
    await server.kill('SIGKILL')
    const store = createFsStore(directory)
    expect(await store.get('ann-a')).toMatchObject({ size: 5, metadata: kept })
    await store.close()
  })
})
