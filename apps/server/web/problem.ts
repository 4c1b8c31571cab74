import { get } from './dom.ts'

export interface Problem {
  readonly title: string
  readonly detail: string
}

export const LOST: Problem = {
  title: 'The server did not answer',
  detail: 'The connection was lost. Check that the server is running and try again.',
}

const notice = get('#notice')

/** Above everything else, for what has no place of its own on the page. */
export function showProblem(problem: Problem): void {
  fillAlert(notice, problem)
}

export function clearProblem(): void {
  notice.replaceChildren()
}

export function fillAlert(alert: HTMLElement, { title, detail }: Problem): void {
  const [strong, text] = [document.createElement('strong'), document.createElement('p')]
  strong.textContent = title
  text.textContent = detail
  alert.replaceChildren(strong, text)
}

/** From whatever came back: RFC 9457 where the server wrote it, not where a proxy did. */
export function problemOf(status: number, body: unknown): Problem {
  const member = (name: string): string | null => {
    const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, name) : null
    return typeof value === 'string' && value !== '' ? value : null
  }
  return {
    title: member('title') ?? 'The server refused',
    detail: member('detail') ?? `It answered with status ${status}.`,
  }
}

/** Returns the response when its status is 2xx, else shows the problem and returns `null`. */
export async function request(url: string, method = 'GET'): Promise<Response | null> {
  const response = await fetch(url, { method, headers: { Accept: 'application/json' } }).catch(() => null)
  if (response?.ok) return response
  const body: unknown = await response?.json().catch(() => null)
  showProblem(response === null ? LOST : problemOf(response.status, body))
  return null
}
