import { exchange } from '../support/raw.ts'
import { REPOSITORY } from '../support/server.ts'
import type { Answer } from './answer.ts'
import type { HostileCase } from './case.ts'
import { Connection } from './connection.ts'
import type { Target } from './target.ts'

/** How long an answer, the end of a connection, or /healthz afterwards may take, ms. */
const PATIENCE = 10_000

const PROBE = 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n'
const ALIVE = '{"status":"ok"}'

/** The fields that this server sends: a name beside them came from a client. */
const FIELDS = new Set(
  `accept-encoding accept-patch accept-ranges allow cache-control connection content-digest content-disposition content-length
  content-location content-range content-security-policy content-type cross-origin-resource-policy date etag keep-alive last-modified
  location referrer-policy repr-digest retry-after transfer-encoding tus-checksum-algorithm tus-extension tus-max-size
  tus-resumable tus-version upload-expires upload-limit upload-offset vary x-content-type-options x-request-id`.split(
    /\s+/,
  ),
)

/**
 * Runs one case on a connection of its own and throws where the server did what it should not.
 *
 * @throws Error that says what came instead
 */
export async function runCase(one: HostileCase, target: Target): Promise<void> {
  const answers = await converse(one, target)
  const statuses = answers.map(({ status }) => status).join(' ') || 'none'
  if (!one.expect.includes(statuses)) {
    const said = answers.map(({ content }) => content.toString('latin1', 0, 300)).join('\n')
    throw new Error(`answered ${statuses}, not ${one.expect.join(' or ')}: ${said}`)
  }
  for (const answer of answers) checkAnswer(answer, target)
  const finals = answers.filter(({ status }) => status >= 200)
  const [answer = { status: 0, fields: new Map(), content: Buffer.alloc(0) }] = finals
  if (answer.status >= 200 && answer.status < 300) await one.check?.({ target, answers: finals, answer })
  await one.after?.({ target, answers: finals, answer })
  if (!(await exchange(target.url, PROBE)).includes(ALIVE)) throw new Error('/healthz does not answer')
}

async function converse(one: HostileCase, target: Target): Promise<readonly Answer[]> {
  const connection = await Connection.open(target.url, one.head)
  try {
    const steps = typeof one.steps === 'function' ? one.steps() : one.steps
    await connection.take(steps)
    const wanted = Math.max(1, Math.min(...one.expect.map(countFinal)))
    if (!(await connection.until(wanted, PATIENCE)))
      throw new Error(`no answer: ${list(connection.answers())}`)
    return await finish(connection)
  } finally {
    connection.close()
  }
}

/** Whoever still listens after an answer must not take what is left of the request for another. */
async function finish(connection: Connection): Promise<readonly Answer[]> {
  const keeps =
    !connection.ended && !connection.left && connection.answers().at(-1)?.fields.get('connection') !== 'close'
  const before = connection.answers().length
  await connection.take(keeps ? [PROBE] : [{ leave: 'half' }])
  if (!(await connection.until(Number.POSITIVE_INFINITY, PATIENCE))) {
    throw new Error(`the connection stays open after ${list(connection.answers())}`)
  }
  const rest = connection.rest()
  if (rest.length > 0) throw new Error(`after the answers comes ${JSON.stringify(rest.toString('latin1'))}`)
  const answers = connection.answers()
  const probed = keeps && answers.length > before && answers.at(-1)?.content.toString() === ALIVE
  if (keeps && !probed && answers.at(-1)?.fields.get('connection') !== 'close') {
    throw new Error(`the connection is of no use after ${list(answers)}`)
  }
  return probed ? answers.slice(0, -1) : answers
}

function countFinal(statuses: string): number {
  return statuses === 'none' ? 1 : statuses.split(' ').filter((status) => !status.startsWith('1')).length
}

function list(answers: readonly Answer[]): string {
  return answers.map(({ status }) => status).join(' ') || 'nothing'
}

/** What holds for every answer to whatever request. */
function checkAnswer({ status, fields, content }: Answer, { directory }: Target): void {
  if (status >= 500 && ![501, 503, 505, 507].includes(status)) throw new Error(`${status}: ${content}`)
  const unknown = [...fields.keys()].filter((name) => !FIELDS.has(name))
  if (unknown.length > 0) throw new Error(`fields of no known name: ${unknown.join(', ')}`)
  const type = fields.get('content-type')
  if (type !== undefined && fields.get('x-content-type-options') !== 'nosniff') throw new Error('no nosniff')
  if (status < 400) return
  const text = content.toString()
  if (text.includes(directory) || text.includes(REPOSITORY) || /\bat .*:\d+:\d+|node:internal/.test(text)) {
    throw new Error(`the answer tells of the server's insides: ${text}`)
  }
  if (type === 'application/problem+json') checkProblem(status, text)
  // What Node's parser refuses has no content, and none of our app has any other.
  else if (content.length > 0 && !type?.startsWith('text/html'))
    throw new Error(`no problem: ${type} ${text}`)
}

function checkProblem(status: number, text: string): void {
  // To a HEAD it has no content.
  if (text === '') return
  const problem: unknown = JSON.parse(text)
  const { title = '', status: told } = Object(problem)
  if (told !== status || !/\w/.test(String(title)))
    throw new Error(`a problem that does not say what it is: ${text}`)
}
