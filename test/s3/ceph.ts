import { randomUUID } from 'node:crypto'
import type { UploadStore } from 'upload-store'
import { createS3Store, type S3StoreOptions } from 'upload-store/s3'
import { afterAll, beforeAll, inject } from 'vitest'
import { Cluster, type ClusterConnection } from './cluster.mjs'

/** What a test file needs to be run, by Debian's names. */
export const CEPH = ['ceph-mon', 'ceph-osd', 'radosgw'] as const

/** The Ceph of the run, which all its test files share. */
export class Ceph {
  /** Where the bucket of these tests is. */
  get connection(): ClusterConnection {
    return inject('s3')
  }

  /** Returns an empty store, unless the options name a prefix. It has more time than by default: the machine may be busy. */
  open(options: Partial<S3StoreOptions> = {}): UploadStore {
    return createS3Store({ ...this.connection, timeout: 30_000, prefix: `${randomUUID()}/`, ...options })
  }
}

/** A cluster for one test file, which may kill its daemons without harm to other files. */
export class OwnCeph extends Ceph {
  #cluster: Cluster | undefined

  /** Starts it before the tests of this file, and ends it after them. */
  constructor() {
    super()
    beforeAll(async () => {
      this.#cluster = await Cluster.make()
      await this.start()
    }, 120_000)
    afterAll(() => this.#cluster?.stop())
  }

  get #running(): Cluster {
    if (this.#cluster === undefined) throw new Error('The cluster runs while tests do.')
    return this.#cluster
  }

  override get connection(): ClusterConnection {
    return this.#running.connection
  }

  /** Starts the daemons that do not run, and waits until the gateway answers. */
  start(): Promise<void> {
    return this.#running.start()
  }

  signal(...[daemon, signal]: Parameters<Cluster['signal']>): Promise<void> {
    return this.#running.signal(daemon, signal)
  }
}
