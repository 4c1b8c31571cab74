import { randomUUID } from 'node:crypto'
import type { UploadStore } from 'upload-store'
import { createS3Store, type S3StoreOptions } from 'upload-store/s3'
import { afterAll, beforeAll } from 'vitest'
import { Cluster, type ClusterConnection } from './cluster.mjs'

/** What a test file needs to be run, by Debian's names. */
export const CEPH = ['ceph-mon', 'ceph-osd', 'radosgw'] as const

/** A cluster of its own for a test file: it may be killed without harm to others. */
export class Ceph {
  #cluster: Cluster | undefined

  /** Starts it before the tests of this file, and ends it behind them. */
  constructor(store: 'memstore' | 'bluestore' = 'memstore') {
    beforeAll(async () => {
      this.#cluster = await Cluster.make(store)
      await this.start()
    }, 120_000)
    afterAll(() => this.#cluster?.stop())
  }

  get #running(): Cluster {
    if (this.#cluster === undefined) throw new Error('The cluster runs while tests do.')
    return this.#cluster
  }

  /** Where the bucket of these tests is. */
  get connection(): ClusterConnection {
    return this.#running.connection
  }

  /** A store with nothing in it, unless the options name a prefix. */
  open(options: Partial<S3StoreOptions> = {}): UploadStore {
    return createS3Store({ ...this.connection, prefix: `${randomUUID()}/`, ...options })
  }

  /** Starts what does not run, and waits until it answers. */
  start(): Promise<void> {
    return this.#running.start()
  }

  signal(...[daemon, signal]: Parameters<Cluster['signal']>): Promise<void> {
    return this.#running.signal(daemon, signal)
  }
}
