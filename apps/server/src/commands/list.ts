import type { ListOrder, StoredObject } from 'upload-store'
import { ConfigError } from '../config/values.ts'
import { humanSize } from '../shared/human-size.ts'
import type { Call, Command } from './command.ts'
import { objectsOf } from './objects.ts'
import { openOwnStore } from './open-own-store.ts'

export const LIST: Command = {
  name: 'list',
  operands: '',
  summary: 'Lists the videos',
  flags: [
    { name: 'prefix', value: 'TEXT', help: 'only names that begin with it' },
    { name: 'contains', value: 'TEXT', help: 'only names that contain it; case and accents do not matter' },
    { name: 'order', value: 'ORDER', help: 'key, name, newest or largest (key)' },
    { name: 'companions', help: 'list captions and posters too' },
  ],
  run: list,
}

async function list({ config, flags, report, signal }: Call): Promise<number> {
  const options = {
    prefix: text(flags.get('prefix')),
    contains: text(flags.get('contains')),
    order: parseOrder(text(flags.get('order'))),
    companions: flags.has('companions'),
  }
  const store = await openOwnStore(config)
  let [count, bytes] = [0, 0]
  for await (const object of objectsOf(store, options)) {
    if (signal.aborted) break
    count++
    bytes += object.size
    report.result(fieldsOf(object), line(object))
  }
  await store.close()
  if (!flags.has('json'))
    report.result({}, `${count} ${nounFor(count, options.companions)}, ${humanSize(bytes)}`)
  return 0
}

function nounFor(count: number, hasCompanions: boolean): string {
  const noun = hasCompanions ? 'file' : 'video'
  return count === 1 ? noun : `${noun}s`
}

const text = (value: string | true | undefined): string | undefined => (value === true ? undefined : value)

const ORDERS: readonly ListOrder[] = ['key', 'name', 'newest', 'largest']

function parseOrder(value: string | undefined): ListOrder | undefined {
  const order = ORDERS.find((each) => each === value)
  if (value !== undefined && order === undefined)
    throw new ConfigError(`--order ${value} is not an order. Use ${ORDERS.join(', ')}.`)
  return order
}

function fieldsOf({ key, size, type, digest, lastModified, metadata }: StoredObject) {
  return { key, size, type, digest, created: new Date(lastModified).toISOString(), metadata }
}

function line({ key, size, lastModified }: StoredObject): string {
  return `${new Date(lastModified).toISOString().slice(0, 16).replace('T', ' ')}  ${humanSize(size).padStart(9)}  ${key}`
}
