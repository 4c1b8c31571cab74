import { fromTemplate, get } from './dom.ts'
import { LOST, type Problem, readProblem } from './problem.ts'

const notice = get('#notice')

/** Shows a problem above everything else, until it is closed. */
export function showProblem(problem: Problem): void {
  const text = document.createElement('div')
  fillAlert(text, problem)
  const close = fromTemplate('#close')
  close.addEventListener('click', clearProblem)
  notice.replaceChildren(text, close)
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

/** Returns the response when its status is 2xx, else shows the problem and returns `null`. */
export async function request(
  url: string,
  init: RequestInit & { readonly headers?: Record<string, string> } = {},
): Promise<Response | null> {
  const response = await fetch(url, {
    ...init,
    headers: { ...init.headers, Accept: 'application/json' },
  }).catch(() => null)
  if (response?.ok) return response
  const body: unknown = await response?.json().catch(() => null)
  showProblem(response === null ? LOST : readProblem(response.status, body))
  return null
}
