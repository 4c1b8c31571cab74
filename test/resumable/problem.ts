import { expect } from 'vitest'
import type { Answer } from './exchange.ts'

const TYPES = 'https://iana.org/assignments/http-problem-types#'

/** An answer with these, and a problem of RFC 9457 of the type of this name. */
export function expectProblem(answer: Answer, status: number, type: string, members: object = {}): void {
  expect(answer).toMatchObject({ status })
  expect(answer.fields['content-type']).toMatch(/^application\/problem\+json/)
  expect(JSON.parse(answer.body.toString())).toMatchObject({ type: TYPES + type, ...members })
}

/** For `toMatchObject`: a refusal of the client's doing. */
export const REFUSAL = { asymmetricMatch: (status: unknown) => Number(status) >= 400 && Number(status) < 500 }

/** For `toMatchObject`: any success. */
export const SUCCESS = { asymmetricMatch: (status: unknown) => Number(status) >= 200 && Number(status) < 300 }
