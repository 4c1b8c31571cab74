import { Agent, type IncomingMessage, type RequestOptions, request } from 'node:http'
import type { Answer } from './answer.ts'

/** So many at once, so that a server that mixes up its buffers is found out. */
const PARALLEL = 8

export interface Question {
  readonly method: 'GET' | 'HEAD'
  /** A header field, empty for none. */
  readonly field: string
  /** Bytes of body after which the rest need not be read. */
  readonly longest: number
}

/** Asks all questions of one URL, some at once, and gives the answers in the same order. */
export async function askAll(url: URL, questions: readonly Question[]): Promise<readonly Answer[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: PARALLEL })
  const answers: Answer[] = []
  const todo = questions.entries()
  async function workOff(): Promise<void> {
    for (const [at, question] of todo) answers[at] = await ask(url, agent, question)
  }
  try {
    await Promise.all(Array.from({ length: PARALLEL }, workOff))
  } finally {
    agent.destroy()
  }
  return answers
}

function ask(url: URL, agent: Agent, { method, field, longest }: Question): Promise<Answer> {
  const [name = '', value = ''] = field.split(': ', 2)
  const options: RequestOptions = { agent, method, headers: name === '' ? {} : { [name]: value } }
  return new Promise((resolve, reject) => {
    const asking = request(url, options, (response) => {
      readBody(response, longest).then((body) => resolve({ ...headOf(response), body }), reject)
    })
    asking.once('error', reject)
    asking.end()
  })
}

function headOf({ statusCode, headers }: IncomingMessage): Omit<Answer, 'body'> {
  const fields = Object.entries(headers).map(([name, value]) => [name, value?.toString()] as const)
  return { status: statusCode ?? 0, fields: Object.fromEntries(fields) }
}

async function readBody(response: IncomingMessage, longest: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response) {
    chunks.push(chunk)
    length += chunk.length
    if (length > longest) break
  }
  return Buffer.concat(chunks)
}
