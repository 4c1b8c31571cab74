interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Family {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: readonly Sample[]
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\"n])*"'
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)?\\})? (\\S+)$`)

/**
 * Reads Prometheus's text format 0.0.4, strictly: each family once, its HELP and TYPE first, its samples together and each
 * once, buckets that add up.
 *
 * @throws Error that names the line
 */
export function parsePrometheus(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith('\n')) throw new Error('The last line does not end.')
  const families = new Map<string, Growing>()
  let current: Growing | undefined
  let help: Help = ['', '']
  for (const line of text.split('\n').slice(0, -1)) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? []
    if (kind === 'HELP') help = [name, rest]
    else if (kind === 'TYPE') {
      if (families.has(name)) throw new Error(`There is one already: ${line}`)
      current = familyOf(line, name, rest, help)
      families.set(name, current)
    } else if (line !== '' && !line.startsWith('#')) addSample(current, line)
  }
  for (const family of families.values()) checkBuckets(family)
  return families
}

type Growing = Family & { readonly samples: Sample[] }
type Help = readonly [name: string, text: string]

function familyOf(line: string, name: string, type: string, [named, help]: Help): Growing {
  if (named !== name) throw new Error(`There is no HELP before: ${line}`)
  if (!/^(?:counter|gauge|histogram|summary|untyped)$/.test(type)) throw new Error(`No type: ${line}`)
  return { name, type, help, samples: [] }
}

function addSample(family: Growing | undefined, line: string): void {
  const [, name = '', labels = '', text = ''] = SAMPLE.exec(line) ?? []
  const value = numberOf(text)
  if (name === '' || value === null) throw new Error(`This is no sample: ${line}`)
  const suffixes = family?.type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']
  if (family === undefined || !suffixes.some((suffix) => name === `${family.name}${suffix}`))
    throw new Error(`This is none of ${family?.name}: ${line}`)
  if (family.type === 'counter' && !(value >= 0)) throw new Error(`A counter is below 0: ${line}`)
  const sample = { name, labels: labelsOf(labels), value }
  if (family.samples.some((other) => isSameSeries(other, sample)))
    throw new Error(`This came before: ${line}`)
  family.samples.push(sample)
}

/** As Go reads it, and with it Prometheus: prom-client writes Nan. */
function numberOf(text: string): number | null {
  if (/^nan$/i.test(text)) return Number.NaN
  const value = Number(text.replace(/^([+-]?)Inf$/, '$1Infinity'))
  return text === '' || Number.isNaN(value) ? null : value
}

function labelsOf(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/([^=,]+)="((?:[^"\\]|\\.)*)"/g)]
  return Object.fromEntries(pairs.map(([, name, value]) => [name, value]))
}

function isSameSeries(one: Sample, other: Sample): boolean {
  return one.name === other.name && labelKey(one.labels) === labelKey(other.labels)
}

function labelKey(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function checkBuckets({ name, type, samples }: Family): void {
  if (type !== 'histogram') return
  const series = new Map<string, { counts: number[]; last: string | undefined; count: number | undefined }>()
  for (const sample of samples) {
    const { le, ...labels } = sample.labels
    const key = labelKey(labels)
    const one = series.get(key) ?? { counts: [], last: undefined, count: undefined }
    if (sample.name === `${name}_bucket`) {
      one.counts.push(sample.value)
      one.last = le
    } else if (sample.name === `${name}_count`) one.count = sample.value
    series.set(key, one)
  }
  for (const [key, { counts, last, count }] of series) {
    const cumulative = counts.every((value, at) => at === 0 || value >= (counts[at - 1] ?? 0))
    if (!cumulative || last !== '+Inf' || counts.at(-1) !== count)
      throw new Error(`The buckets of ${name} ${key} do not add up.`)
  }
}

/** The sum of the samples of `name` whose labels are so. */
export function sumOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const samples = families.get(name)?.samples ?? []
  return samples
    .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0)
}
