import type { Answer, Fields, Interim, Request } from './exchange.ts'

const LIMITS = /^(?:max-size|min-size|max-append-size|min-append-size|max-age|expires)=\d{1,15}$/
const SUPPORTED = ['3', '4', '5', '6', '7', '8', '9', '10']

/** What is wrong with a response whatever it is about, in words; empty where nothing is. */
export function faultsOf(request: Request, answer: Answer): readonly string[] {
  return [
    ...finalFaults(answer),
    ...answer.interims.flatMap((interim) => interimFaults(request, interim)),
  ].map((fault) => `${request.method} ${request.path} ${answer.status}: ${fault}`)
}

function finalFaults({ status, fields, body }: Answer): readonly string[] {
  const faults = fieldFaults(fields)
  // 507 is an answer: there is no room for so much.
  if (status >= 500 && status !== 507) faults.push('a failure of the server')
  // §4.2.2, §4.3.2, §4.4.2, §4.5.2: a client that follows would upload or ask somewhere else.
  if ([301, 302, 303].includes(status)) faults.push('a redirection')
  if (fields['content-type']?.startsWith('application/problem+json') && body.length > 0) {
    const problem: unknown = JSON.parse(body.toString())
    const told =
      typeof problem === 'object' && problem !== null && 'status' in problem ? problem.status : status
    if (told !== status) faults.push(`the problem says ${told}`)
  }
  return faults
}

function fieldFaults(fields: Fields): string[] {
  const faults: string[] = []
  for (const name of ['upload-offset', 'upload-length']) {
    const value = fields[name]
    if (value !== undefined && !/^\d{1,15}$/.test(value)) faults.push(`${name}: ${value}`)
  }
  for (const name of ['upload-complete', 'upload-incomplete']) {
    const value = fields[name]
    if (value !== undefined && !/^\?[01]$/.test(value)) faults.push(`${name}: ${value}`)
  }
  const limits = fields['upload-limit']
  if (limits?.split(', ').some((member) => !LIMITS.test(member))) faults.push(`upload-limit: ${limits}`)
  return faults
}

function interimFaults({ fields = {} }: Request, interim: Interim): readonly string[] {
  if (interim.status === 100) return []
  if (interim.status !== 104) return [`an interim ${interim.status}`]
  const faults = fieldFaults(interim.fields)
  // Appendix B: who does not speak our version is told nothing, and who does hears it back.
  const asked = fields['Upload-Draft-Interop-Version']
  if (typeof asked !== 'string' || !SUPPORTED.includes(asked)) faults.push(`104 for version ${asked}`)
  const told = interim.fields['upload-draft-interop-version']
  if (told !== asked) faults.push(`104 with version ${told} for ${asked}`)
  return faults
}
