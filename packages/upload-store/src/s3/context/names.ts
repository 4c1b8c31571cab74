import { isKey } from '../../values/key.ts'

/** How the objects of a store are called; no name that a client gave is among them as it came. */
export class Names {
  readonly blobs: string
  readonly records: string
  readonly staging: string
  readonly quarantine: string

  constructor(prefix: string) {
    // S3 takes names of 1024 bytes, and a key has up to 765 when it is escaped.
    if (Buffer.byteLength(prefix) > 200) {
      throw new RangeError(
        `The prefix ${JSON.stringify(prefix)} is longer than 200 bytes of UTF-8. Give a shorter one.`,
      )
    }
    this.blobs = `${prefix}blobs/`
    this.records = `${prefix}records/`
    this.staging = `${prefix}staging/`
    this.quarantine = `${prefix}quarantine/`
  }

  blob(id: string): string {
    return `${this.blobs}${id}`
  }

  record(key: string): string {
    return `${this.records}${escapeKey(key)}`
  }

  /** The key of a record; `null` where the name is nothing of ours. */
  parseRecordName(record: string): string | null {
    try {
      return decodeURIComponent(record.slice(this.records.length).replaceAll('~', '%'))
    } catch {
      return null
    }
  }

  /** Whether an object below `records/` has the name of a record. */
  isRecord(name: string): boolean {
    const key = this.parseRecordName(name)
    return isKey(key) && this.record(key) === name
  }

  manifest(upload: string): string {
    return `${this.staging}${upload}.json`
  }

  /** Bytes of an upload from `offset` on; its writer's fence keeps those of a stale writer apart. */
  tail(upload: string, offset: number, fence: string): string {
    return `${this.staging}${upload}.${offset}.${fence}`
  }

  quarantined(blob: string): string {
    return `${this.quarantine}${blob}.json`
  }
}

/**
 * ASCII in the order of the key's UTF-8 bytes, so that S3 lists records as the store lists keys: plain percent-encoding
 * would put `ä` before `a`. A prefix of a key gives a prefix of its name.
 */
export function escapeKey(key: string): string {
  let name = ''
  for (const byte of Buffer.from(key)) {
    const hex = byte.toString(16).toUpperCase().padStart(2, '0')
    if (byte < 0x26) name += `%${hex}`
    else if (byte > 0x7d) name += `~${hex}`
    else name += String.fromCharCode(byte)
  }
  return name
}
