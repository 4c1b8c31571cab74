import { isKey } from '../../values/key.ts'

/** The names of a store's objects in the bucket. A key becomes part of a name only in escaped form. */
export class Names {
  readonly blobs: string
  readonly records: string
  readonly staging: string
  readonly quarantine: string

  constructor(prefix: string) {
    // S3 accepts names of up to 1024 bytes, and an escaped key has up to 765.
    if (Buffer.byteLength(prefix) > 200) {
      throw new RangeError(
        `The prefix ${JSON.stringify(prefix)} is longer than 200 bytes of UTF-8. Choose a shorter one.`,
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

  /** Returns the key of a record, or `null` if the name cannot be decoded. */
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

  /**
   * Returns the name of an object for bytes of an upload from `offset` on. It contains the writer's fence, so that a
   * stale writer cannot overwrite those of the current one.
   */
  tail(upload: string, offset: number, fence: string): string {
    return `${this.staging}${upload}.${offset}.${fence}`
  }

  quarantined(blob: string): string {
    return `${this.quarantine}${blob}.json`
  }
}

/**
 * Returns ASCII text in the order of the key's UTF-8 bytes, so that S3 lists records in the order of keys. Plain
 * percent-encoding would put `ä` before `a`. The escaped prefix of a key is a prefix of the escaped key.
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
