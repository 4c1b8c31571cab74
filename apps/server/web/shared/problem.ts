export interface Problem {
  readonly title: string
  readonly detail: string
}

export const LOST: Problem = {
  title: 'The server did not answer',
  detail: 'The connection was lost. Check that the server is running and try again.',
}

/** Reads a problem from any response: RFC 9457 if the server wrote it, anything if a proxy did. */
export function readProblem(status: number, body: unknown): Problem {
  const member = (name: string): string | null => {
    const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, name) : null
    return typeof value === 'string' && value !== '' ? value : null
  }
  return {
    title: member('title') ?? 'The server refused the request',
    detail: member('detail') ?? `The server answered with status ${status}. Try again later.`,
  }
}
