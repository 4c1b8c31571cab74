import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type {
  $Command,
  S3ClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes,
} from '@aws-sdk/client-s3'
import { BadAnswer } from './errors.ts'

/** The longest body that is read into memory, in bytes. A page of 1000 of the longest names has 2 MiB. */
const MAX_TEXT = 8 * 1024 ** 2

/** The form of S3's response to a successful request. */
export type Expected =
  /** 200 and an XML document with this root element. */
  | { readonly root: string }
  /** 200, an entity-tag and no body. */
  | 'tag'
  /** 204. */
  | 'nothing'
  /** 200 with an empty body, and so not a proxy's page. */
  | 'done'
  /** 200, an entity-tag and the bytes of an object. */
  | 'object'
  /** As `object`, and the bytes are JSON. */
  | 'text'
  /** As `object`, without a body. */
  | 'head'

/** A response before the SDK parses it. */
interface RawAnswer {
  statusCode: number
  readonly headers: Readonly<Record<string, string | undefined>>
  body?: unknown
}

type Command<Input extends ServiceInputTypes, Output extends ServiceOutputTypes> = $Command<
  Input,
  Output,
  S3ClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes
>

/**
 * Makes the SDK send `command` once, and reject a response that is not S3's. The SDK alone would accept the 200 of a
 * proxy or a captive portal as success, and its page as an empty result.
 */
export function checked<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
  command: Command<Input, Output>,
  expected: Expected,
): Command<Input, Output> {
  const { middlewareStack } = command
  // `retry` does all retries. This replaces the SDK's retry middleware, also in a client that the app has configured.
  const once = { name: 'retryMiddleware', step: 'finalizeRequest', priority: 'high', override: true } as const
  middlewareStack.add((next) => next, once)
  middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args)
      await check(result.response, expected)
      return result
    },
    { name: 'checkAnswer', step: 'deserialize', priority: 'low' },
  )
  return command
}

async function check(answer: unknown, expected: Expected): Promise<void> {
  if (!isRawAnswer(answer))
    throw new TypeError(
      'The request handler of the S3 client returned no HTTP response. Pass a client with an HTTP handler.',
    )
  try {
    const { statusCode } = answer
    if (statusCode >= 300) await checkRefusal(answer, expected)
    else if (expected === 'text') await checkStored(answer)
    else if (expected === 'object' || expected === 'head') checkObject(answer)
    else await checkText(answer, expected)
  } catch (error) {
    drop(answer.body)
    throw error
  }
}

function isRawAnswer(value: unknown): value is RawAnswer {
  return typeof value === 'object' && value !== null && 'statusCode' in value && 'headers' in value
}

/** S3 names the error in its body, except for HEAD. A status without such a body may be that of a proxy. */
async function checkRefusal(answer: RawAnswer, expected: Expected): Promise<void> {
  if (expected === 'head') return
  const text = await keepText(answer)
  if (errorCodeIn(text) === null) throw badAnswer(answer, 'an error of S3', text)
}

function checkObject(answer: RawAnswer): void {
  const { statusCode, headers } = answer
  const isComplete = headers['etag'] !== undefined && headers['content-length'] !== undefined
  if (statusCode !== 200 || !isComplete || isHtml(headers)) throw badAnswer(answer, 'an object')
}

/**
 * Rejects a body that is neither JSON nor what the store wrote, such as a proxy's page. The tag, an MD5 of the text,
 * identifies a damaged text of the store, which the caller handles.
 */
async function checkStored(answer: RawAnswer): Promise<void> {
  checkObject(answer)
  const text = await keepText(answer)
  const tag = (answer.headers['etag'] ?? '').replaceAll('"', '')
  const isStored = /^\s*\{[\s\S]*\}\s*$/.test(text) || createHash('md5').update(text).digest('hex') === tag
  if (!isStored) throw badAnswer(answer, 'JSON', text)
}

async function checkText(
  answer: RawAnswer,
  expected: Exclude<Expected, 'object' | 'text' | 'head'>,
): Promise<void> {
  const text = await keepText(answer)
  if (typeof expected !== 'string') return checkDocument(answer, expected.root, text)
  const { statusCode, headers } = answer
  const isTagged = (headers['etag'] ?? '') !== ''
  const isWanted = {
    nothing: statusCode === 204,
    done: statusCode === 200 && text.trim() === '',
    tag: statusCode === 200 && text.trim() === '' && isTagged,
  }
  if (!isWanted[expected]) throw badAnswer(answer, DESCRIPTIONS[expected], text)
}

const DESCRIPTIONS = { nothing: '204', done: '200 without a body', tag: 'an entity-tag and no body' } as const

function checkDocument(answer: RawAnswer, root: string, text: string): void {
  // S3 sends 200 before a long task and may append an error later. The SDK decides by the status whether a body is an
  // error.
  if (answer.statusCode === 200 && errorCodeIn(text) !== null) answer.statusCode = 503
  else if (answer.statusCode !== 200 || rootElement(text) !== root) throw badAnswer(answer, `<${root}>`, text)
}

/** Returns the body as text, and puts it back for the SDK. */
async function keepText(answer: RawAnswer): Promise<string> {
  const bytes = await readBytes(answer.body)
  answer.body = Readable.from([bytes])
  return bytes.toString()
}

/**
 * Reads a whole body into memory.
 *
 * @throws BadAnswer if the body is longer than any listing or error of S3
 */
export async function readBytes(body: unknown): Promise<Buffer> {
  if (body === undefined || body === null) return Buffer.alloc(0)
  if (body instanceof Uint8Array) return Buffer.from(body)
  if (!isIterable(body)) throw new TypeError('The body of an answer cannot be read.')
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > MAX_TEXT) throw new BadAnswer(`The response has more than ${MAX_TEXT} bytes.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function isIterable(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body
}

/** Closes the connection, because the rest of the body is not read. */
function drop(body: unknown): void {
  if (typeof body === 'object' && body !== null && 'destroy' in body && typeof body.destroy === 'function') {
    body.destroy()
  }
}

/** Returns the name of the root element of a complete XML document, or `null`. */
function rootElement(text: string): string | null {
  const document = text.replace(/^\uFEFF?\s*(?:<\?xml[^>]*>\s*)?/, '').trimEnd()
  const [, root] = /^<([A-Za-z]\w*)[\s/>]/.exec(document) ?? []
  if (root === undefined) return null
  const isComplete = document.endsWith(`</${root}>`) || /^<[^<]*\/>$/.test(document)
  return isComplete ? root : null
}

/** Returns S3's error code, or `null` if the text is not an S3 error. */
export function errorCodeIn(text: string): string | null {
  if (rootElement(text) !== 'Error') return null
  return /<Code>\s*(\w[\w.]*)\s*<\/Code>/.exec(text)?.[1] ?? null
}

function isHtml(headers: RawAnswer['headers']): boolean {
  return /^\s*(?:text\/html|application\/xhtml)/i.test(headers['content-type'] ?? '')
}

/** @param text the body, if it was read */
export function badAnswer(
  { statusCode, headers }: Pick<RawAnswer, 'statusCode' | 'headers'>,
  expected: string,
  text?: string,
): BadAnswer {
  const type = headers['content-type'] ?? 'no Content-Type'
  const length = text === undefined ? '' : `, ${Buffer.byteLength(text)} bytes`
  const message = `The response to an S3 request was ${statusCode} (${type}${length}) instead of ${expected}. It may come from a proxy or another server.`
  return new BadAnswer(message, headers)
}
