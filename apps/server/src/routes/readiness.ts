import createError from 'http-errors'
import type Koa from 'koa'
import type { UploadStore } from 'upload-store'
import { currentObject } from '../uploads/current-object.ts'

/** How long a result is used again, in ms: every client may ask, and each probe writes. */
const MAX_AGE = 1000
/** A disk that takes longer cannot serve requests. */
const PATIENCE = 5000

/** Shows load balancers whether this process can store and serve (`GET /readyz`). */
export class Readiness {
  readonly #store: UploadStore
  readonly #readOnly: boolean
  #draining = false
  #latest: { readonly at: number; readonly reason: Promise<string | null> } | undefined

  constructor(store: UploadStore, readOnly: boolean) {
    this.#store = store
    this.#readOnly = readOnly
  }

  /** From now on the answer is no. */
  drain(): void {
    this.#draining = true
  }

  /** @throws 503 with the reason */
  async answer(ctx: Koa.Context): Promise<void> {
    ctx.set('Cache-Control', 'no-store')
    const reason = this.#draining ? 'The server is shutting down.' : await this.#reason()
    if (reason !== null) throw createError(503, reason, { expose: true })
    ctx.body = { status: 'ready' }
  }

  #reason(): Promise<string | null> {
    const now = performance.now()
    if (this.#latest === undefined || now - this.#latest.at > MAX_AGE)
      this.#latest = { at: now, reason: this.#look() }
    return this.#latest.reason
  }

  async #look(): Promise<string | null> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(resolve, PATIENCE, `The store has not answered for ${PATIENCE / 1000} seconds.`)
    })
    const reason = await Promise.race([this.#probe().then(() => null, describeFailure), late])
    clearTimeout(timer)
    return reason
  }

  /** Does what an upload does first: only a write shows that a disk has become read-only. */
  async #probe(): Promise<void> {
    await currentObject(this.#store, 'ready')
    if (this.#readOnly) return
    await this.#store.checkSpace()
    const session = await this.#store.createUpload('ready')
    await session.abort()
  }
}

/** By the code of its cause, or its own: messages of the file system have paths in them. */
function describeFailure(error: unknown): string {
  const cause = error instanceof Error ? errorCode(error.cause) : undefined
  const own = errorCode(error) ?? 'an unknown error'
  const code = own === 'UNAVAILABLE' ? (cause ?? own) : own
  return code === 'NO_SPACE' ? 'There is no space for uploads.' : `The store failed with ${code}.`
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
