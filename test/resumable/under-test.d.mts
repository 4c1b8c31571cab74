import type { UploadStore } from 'upload-store'
import type { Protocol } from './exchange.ts'

export interface UnderTestOptions {
  /** In bytes, as the middleware's own; the store's `maxFileSize` too. */
  readonly maxSize?: number
  readonly maxAppendSize?: number
  readonly minAppendSize?: number
  /** In ms, the store's and the middleware's. */
  readonly expireAfter?: number
}

export type Ports = Readonly<Record<Protocol, number>>

export interface UnderTest {
  readonly store: UploadStore
  readonly ports: Ports
  close(): Promise<void>
}

/** The app under test on a port a protocol, over a store in `directory`. */
export function startUnderTest(directory: string, options?: UnderTestOptions): Promise<UnderTest>
