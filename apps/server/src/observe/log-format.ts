const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
}

/** A line of the log for people: `14:03:59 info  request method=GET path=/ status=200 ms=3`. */
export function prettyLine(json: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(json)
  const clock = new Date(time).toTimeString().slice(0, 8)
  const pairs = Object.entries(fields).map(([name, value]) => ` ${name}=${formatValue(value)}`)
  const stack = err?.stack === undefined ? '' : `\n${err.stack}`
  return `${clock} ${(LEVELS[level] ?? String(level)).padEnd(5)} ${msg ?? ''}${pairs.join('')}${stack}\n`
}

/** As JSON where it has anything that could be taken for something else, or would move the terminal's cursor. */
function formatValue(value: unknown): string {
  return typeof value === 'string' && /^[\w./:@%+=-]+$/.test(value) ? value : JSON.stringify(value)
}
