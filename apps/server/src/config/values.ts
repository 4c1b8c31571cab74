import { isIP } from 'node:net'
import { hostName } from './loopback.ts'

/** A flag or environment variable that cannot be used; `message` is one line that says which and why. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
}
const TIME_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Reads `10GiB`, `64 MiB` or a number of bytes. */
export function parseSize(text: string): number {
  return parseQuantity(text, SIZE_UNITS, 'a size like 500MiB, 10GiB or a number of bytes')
}

const MAX_TIME = 2 ** 31 - 1

/** Reads `10s`, `500ms`, `2m` or `1h` to ms. */
export function parseDuration(text: string): number {
  const time = parseQuantity(text, TIME_UNITS, 'a time like 500ms, 10s or 2m')
  // Node's timers take a longer one for 1 ms.
  if (time > MAX_TIME) throw new ConfigError('is longer than the maximum of 24 days')
  return time
}

/** A time limit, which must be longer than 0. */
export function parseTimeout(text: string): number {
  const time = parseDuration(text)
  if (time === 0) throw new ConfigError('is not a time above 0, such as 10s')
  return time
}

function parseQuantity(text: string, units: Readonly<Record<string, number>>, expected: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,15}(?:\.\d{1,3})?) ?([a-z]*)$/i.exec(text) ?? []
  const value = Math.floor(Number(digits) * (units[unit.toLowerCase()] ?? Number.NaN))
  if (digits === '' || !Number.isSafeInteger(value)) throw new ConfigError(`is not ${expected}`)
  return value
}

export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new ConfigError('is not a number from 1 up')
  return Number(text)
}

/** More processes than any machine has cores are a mistake. */
const MAX_WORKERS = 1024

export function parseWorkers(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text) || Number(text) > MAX_WORKERS)
    throw new ConfigError(`is not a number from 1 to ${MAX_WORKERS}`)
  return Number(text)
}

export function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535) throw new ConfigError('is not a port from 0 to 65535')
  return port
}

export function parseMediaTypes(text: string): readonly string[] {
  const types = parseList(text)
  for (const type of types) {
    if (!/^(?:\*\/\*|[\w.+-]+\/(?:\*|[\w.+-]+))$/.test(type)) {
      throw new ConfigError(
        `has ${JSON.stringify(type)}, which is not a media type like video/* or image/png`,
      )
    }
  }
  if (types.length === 0) throw new ConfigError("names no media type; '*/*' accepts any")
  return types
}

export function parseOrigins(text: string): readonly string[] {
  const origins = parseList(text)
  for (const origin of origins) {
    if (origin !== '*' && (!URL.canParse(origin) || new URL(origin).origin !== origin)) {
      throw new ConfigError(`has ${JSON.stringify(origin)}, which is not an origin like https://example.org`)
    }
  }
  return origins
}

/** Reads host names, without ports, to the form in which `hostName` compares them. */
export function parseHosts(text: string): readonly string[] {
  return parseList(text).map((item) => {
    if (!/^(?:[\w-]+\.)*[\w-]+\.?$/.test(item) && isIP(hostName(item)) === 0) {
      throw new ConfigError(
        `has ${JSON.stringify(item)}, which is not a host name like videos.example.org (without scheme and port)`,
      )
    }
    return hostName(item)
  })
}

function parseList(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

export function parseText(text: string): string {
  if (text.trim() === '') throw new ConfigError('is empty, but needs a value')
  return text
}

export function parseOptional(text: string): string | undefined {
  return text === '' ? undefined : text
}

const MIN_TOKEN = 8

/** @throws ConfigError without a word of the token */
export function parseToken(text: string): string | undefined {
  if (text === '') return undefined
  if (text.length < MIN_TOKEN) throw new ConfigError(`is shorter than ${MIN_TOKEN} characters`)
  if (!/^[\x21-\x7e]+$/.test(text)) throw new ConfigError('has characters other than visible ASCII ones')
  return text
}

export function parseSwitch(text: string): boolean {
  if (/^(?:1|true|yes|on)$/i.test(text)) return true
  if (/^(?:0|false|no|off|)$/i.test(text)) return false
  throw new ConfigError('is not true or false')
}

export function parseOneOf<const T extends string>(text: string, choices: readonly T[]): T {
  const choice = choices.find((each) => each === text)
  if (choice === undefined) throw new ConfigError(`is not one of ${choices.join(', ')}`)
  return choice
}

/** Reads a value that goes into a header field as it is. */
export function parseFieldValue(text: string): string {
  if (!/^[\x20-\x7e]+$/.test(text)) throw new ConfigError('has characters other than printable ASCII ones')
  return text
}

export function parseBucket(text: string): string {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(text)) {
    throw new ConfigError('is not a bucket name: 3 to 63 of a-z, 0-9, dot and hyphen')
  }
  return text
}

export function parseEndpoint(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new ConfigError('is not a URL like https://s3.example.org')
  }
  return text
}

/** Returns the value of `--redirect`: `presigned`, or a URL to which keys are appended; `undefined` for `off`. */
export function parseRedirect(text: string): string | undefined {
  if (text === 'off') return undefined
  if (text === 'presigned') return text
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol) || /[?#]/.test(text)) {
    throw new ConfigError('is not off, presigned or a URL like https://cdn.example.org/videos/')
  }
  return url.href.replace(/\/*$/, '/')
}
