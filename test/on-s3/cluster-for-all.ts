import type { TestProject } from 'vitest/node'
import { Cluster, type ClusterConnection } from '../s3/cluster.mjs'

declare module 'vitest' {
  export interface ProvidedContext {
    s3: ClusterConnection
  }
}

/** One cluster for all test files of the project. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const cluster = await Cluster.make()
  await cluster.start()
  provide('s3', cluster.connection)
  return () => cluster.stop()
}
