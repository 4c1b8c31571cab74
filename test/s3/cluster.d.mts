export interface ClusterConnection {
  readonly endpoint: string
  readonly bucket: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

export class Cluster {
  /** @param store in memory and started in a second, or in files that outlive `kill -9` (memstore) */
  static make(store?: 'memstore' | 'bluestore'): Promise<Cluster>
  private constructor()
  readonly directory: string
  readonly connection: ClusterConnection
  /** Starts what does not run, and waits until it answers; ends with this process at the latest. */
  start(): Promise<void>
  /** Ends it and removes its data. */
  stop(): Promise<void>
  signal(daemon: 'client.rgw.a' | 'osd.0', signal: NodeJS.Signals): Promise<void>
}
