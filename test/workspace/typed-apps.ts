// Apps as people type them. `samples.test.ts` compiles this file with the samples; nothing runs it.
import createKoaMulter from '@koa/multer'
import Router, { type RouterContext } from '@koa/router'
import Koa from 'koa'
import mount from 'koa-mount'
import { type Content, fileContent, rangeStream, serveContent } from 'koa-range-stream'
import range from 'koa-range-stream/koa-range'
import createMulter from 'multer'
import { multerStorage, type StoredFile, storedFile, type UploadStore } from 'upload-store'
import { createS3Store, type S3Content, type S3Store } from 'upload-store/s3'

interface State {
  readonly user: { readonly id: number }
}
interface Extras {
  readonly database: { find(id: number): Promise<Content> }
}

const app = new Koa<State, Extras>()
app.use(rangeStream()).use(range)
app.use(mount('/films', rangeStream()))
app.use(async (ctx) => serveContent(ctx, await ctx.database.find(ctx.state.user.id)))

const router = new Router<State, Extras>()
router.use(rangeStream())
router.get('/mine', async (ctx) => serveContent(ctx, await ctx.database.find(ctx.state.user.id)))
router.get('/films/:name', rangeStream(), async (ctx) => {
  const content = await fileContent(String(ctx.params['name']), { root: 'videos' })
  if (content === null) return ctx.throw(404)
  await serveContent(ctx, content, { setHeaders: (context, { name }) => context.set('X-Name', name ?? '') })
})
app.use(router.routes()).use(router.allowedMethods())

export const handlers = [
  (ctx: RouterContext, content: Content): Promise<void> => serveContent(ctx, content),
  (ctx: RouterContext<State, Extras>, content: Content): Promise<void> => serveContent(ctx, content),
  (ctx: Koa.Context, content: Content): Promise<void> => serveContent(ctx, content),
  (ctx: Koa.ParameterizedContext<State, Extras, string>, content: Content): Promise<void> =>
    serveContent(ctx, content),
]

export function receivers(store: UploadStore): readonly unknown[] {
  const storage = multerStorage(store, { key: (file) => `films-${file.originalname}` })
  const limits = { files: 1, parts: 20 }
  const untyped = new Router()
  untyped.post('/film', createKoaMulter({ storage, limits }).single('film'), async (ctx) => {
    const file: StoredFile = storedFile(ctx.file)
    ctx.body = await file.session.commit({ ifNoneMatch: '*' })
  })
  return [untyped, createMulter({ storage, limits, defParamCharset: 'utf8' })]
}

export async function signedUrl(key: string): Promise<string | null> {
  const store: S3Store = createS3Store({ bucket: 'videos' })
  const anyStore: UploadStore = store
  await anyStore.checkSpace()
  const content: S3Content | null = await store.get(key)
  return content === null ? null : content.signedUrl({ expiresIn: 60 })
}
