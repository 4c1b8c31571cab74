/** A refusal in the form that @tus/server answers with. */
export class TusError extends Error {
  readonly status_code: number
  readonly body: string

  constructor(status: number, message: string) {
    super(message)
    this.name = 'TusError'
    this.status_code = status
    this.body = `${message}\n`
  }
}

export function unknownUpload(): TusError {
  return new TusError(404, 'There is no such upload.')
}
