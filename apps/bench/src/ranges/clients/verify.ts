import type { Contender } from '../contenders.ts'
import type { ReadBytes } from '../files/media.ts'
import { fieldOf, HEAD, type Kind, type Wanted } from '../kinds.ts'
import { byteFault, faultOf, longestBody } from './answer.ts'
import { askAll, type Question } from './ask.ts'

/** What a server sends, as far as a kind has to know it beforehand. */
export async function wantedOf(kind: Kind, url: URL): Promise<readonly Wanted[]> {
  if (kind.wanted !== null) return kind.wanted
  const [answer] = await askAll(url, [{ method: 'HEAD', field: '', longest: 0 }])
  // A server without entity-tags gets a condition too, so that its answer is the reported reason for leaving it out.
  return [{ answer: 'not modified', etag: answer?.fields['etag'] ?? '"none"' }]
}

/**
 * Asks for some of what is wanted and compares every byte with the file's.
 *
 * @returns what is wrong with the first answer that is, or `null`
 */
export async function verify(
  contender: Contender,
  kind: Kind,
  url: URL,
  wanted: readonly Wanted[],
  read: ReadBytes,
): Promise<string | null> {
  const chosen = Array.from({ length: checksOf(contender, kind) }, (_, at) => wanted[at % wanted.length])
  const checks = chosen.filter((one) => one !== undefined)
  const answers = await askAll(
    url,
    checks.map((one) => questionOf(one, kind)),
  )
  for (const [at, answer] of answers.entries()) {
    const one = checks[at]
    if (one === undefined) continue
    const fault = contender.answersByte ? byteFault(answer) : faultOf(answer, one, kind.file, read)
    if (fault !== null) return fault
  }
  return null
}

/** Returns how many answers to check: only one of a server that takes seconds for each. */
function checksOf({ slowAt }: Contender, kind: Kind): number {
  return slowAt.includes(kind) ? 1 : kind.checked
}

function questionOf(wanted: Wanted, kind: Kind): Question {
  const method = kind === HEAD ? 'HEAD' : 'GET'
  return { method, field: fieldOf(wanted), longest: longestBody(wanted, kind.file) }
}
