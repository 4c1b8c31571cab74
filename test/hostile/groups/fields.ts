import { expect } from 'vitest'
import type { HostileCase } from '../case.ts'
import { MAX_FILE_SIZE } from '../probed-server.ts'
import { bytesOf, type FormOptions, file, form, part, post } from '../request.ts'
import { storedBy } from '../stored.ts'
import type { Target } from '../target.ts'

type Part = Buffer | string

function sent(
  name: string,
  parts: () => readonly Part[],
  statuses: readonly string[],
  options?: FormOptions,
): HostileCase {
  return { name, steps: () => [post(form(...parts()), options)], expect: statuses }
}

/** A field, and behind it the file. */
function field(name: string, disposition: string, statuses: readonly string[], value = 'x'): HostileCase {
  return sent(name, () => [part(disposition, value), file()], statuses)
}

const times = (count: number, one: (at: number) => Part) => Array.from({ length: count }, (_, at) => one(at))

/** Whatever 3,000 files wanted, they got no more inodes than one. */
async function fewFiles({ target }: { readonly target: Target }): Promise<void> {
  const staged = (await target.newFiles()).filter((name) => name.endsWith('.part'))
  expect(staged.length).toBeLessThanOrEqual(2)
}

const COUNTS: readonly HostileCase[] = [
  sent('20 fields and the file', () => [...times(20, (at) => part(`name="f${at}"`)), file()], ['201']),
  sent('21 fields and the file', () => [...times(21, (at) => part(`name="f${at}"`)), file()], ['413']),
  sent('the file and 21 fields', () => [file(), ...times(21, (at) => part(`name="f${at}"`))], ['413']),
  sent('3,000 fields', () => times(3000, () => part('name="f"')), ['413']),
  sent('3,000 fields in chunks', () => times(3000, () => part('name="f"')), ['413'], { length: 'chunked' }),
  sent('10,000 fields', () => times(10_000, (at) => part(`name="f${at}"`)), ['413']),
  sent('3,000 parts that nobody names', () => times(3000, () => '--b\r\nX: y\r\n\r\n\r\n'), [
    '400',
    '413',
    '422',
  ]),
  sent('two files', () => [file('one'), file('two')], ['400', '413']),
  sent('the file and one in another field', () => [file(), part('name="o"; filename="o"')], ['400', '413']),
  sent('one in another field and the file', () => [part('name="o"; filename="o"'), file()], [
    '400',
    '413',
    '422',
  ]),
  sent('the file and an empty file input', () => [file(), part('name="o"; filename=""', '')], [
    '201',
    '400',
    '413',
  ]),
  sent(
    'the file and an octet-stream without file name',
    () => [file(), part('name="o"', 'x', 'Content-Type: application/octet-stream')],
    ['201', '400', '413'],
  ),
  { ...sent('3,000 files', () => times(3000, (at) => file('x', `${at}`)), ['400', '413']), after: fewFiles },
  {
    ...sent('3,000 files in chunks', () => times(3000, (at) => file('x', `${at}`)), ['400', '413'], {
      length: 'chunked',
    }),
    after: fewFiles,
  },
  {
    ...sent(
      '3,000 empty files in as many fields',
      () => times(3000, (at) => part(`name="f${at}"; filename="x"`, '')),
      ['400', '413', '422'],
    ),
    after: fewFiles,
  },
  sent('the file 3,000 fields later', () => [...times(3000, () => part('name="f"')), file()], ['413']),
]

const NAMES: readonly HostileCase[] = [
  field('a name of 100 bytes', `name="${'n'.repeat(100)}"`, ['201']),
  field('a name of 101 bytes', `name="${'n'.repeat(101)}"`, ['400']),
  field('a name of 15,000 bytes', `name="${'n'.repeat(15_000)}"`, ['400']),
  field('a name of 50,000 bytes', `name="${'n'.repeat(50_000)}"`, ['400']),
  field('no name', 'x="y"', ['400']),
  field('an empty name', 'name=""', ['400']),
  field('a name with CR LF', 'name="a%0D%0AX-Injected: 1%0D%0A"', ['201', '400']),
  field('a name of bytes that are no UTF-8', 'name="\xff\xfe"', ['201', '400']),
  field('_charset_', 'name="_charset_"', ['201'], 'klingon'),
  field('__proto__', 'name="__proto__"', ['201', '400']),
  field('__proto__[polluted]', 'name="__proto__[polluted]"', ['201', '400']),
  field('constructor', 'name="constructor"', ['201', '400']),
  field('constructor[prototype][x]', 'name="constructor[prototype][x]"', ['400']),
  field('a[__proto__]', 'name="a[__proto__]"', ['201', '400']),
  field('toString', 'name="toString"', ['201', '400']),
  field('hasOwnProperty[x]', 'name="hasOwnProperty[x]"', ['201', '400']),
  field('length', 'name="length"', ['201', '400'], '4294967295'),
  field('a[b]', 'name="a[b]"', ['201']),
  field('a[b][c]', 'name="a[b][c]"', ['400']),
  field('a[b][c][d] and on, in 100 bytes', `name="a${'[b]'.repeat(33)}"`, ['400']),
  field('a[b][c] and on, 5,000 deep', `name="a${'[b]'.repeat(5000)}"`, ['400', '413']),
  field('5,000 brackets that never close', `name="a${'['.repeat(5000)}"`, ['400', '413']),
  field('a[20]', 'name="a[20]"', ['201']),
  field('a[21]', 'name="a[21]"', ['400']),
  field('a[-1]', 'name="a[-1]"', ['201', '400']),
  field('a[1e9]', 'name="a[1e9]"', ['201', '400']),
  field('a[00000000000000000021]', 'name="a[00000000000000000021]"', ['400']),
  field('a[99999999999999999999]', 'name="a[99999999999999999999]"', ['400']),
  field(']', 'name="]"', ['201', '400']),
  field('[]', 'name="[]"', ['201', '400']),
  field('a[]', 'name="a[]"', ['201']),
  // The least bytes that make an array of 4,294,967,295 places, then something that goes through them all.
  {
    name: 'the sparse array: a[4294967294] and a[x]',
    steps: () => {
      const named = (name: string) => `--b\r\nContent-Disposition:form-data;name="${name}"\r\n\r\n\r\n`
      return [post(`${named('a[4294967294]')}${named('a[x]')}--b--\r\n`)]
    },
    expect: ['400'],
  },
  sent('a field that is text, then an object', () => [part('name="a"'), part('name="a[x]"'), file()], [
    '201',
    '400',
  ]),
  sent('a field that is an object, then a list', () => [part('name="a[x]"'), part('name="a[]"'), file()], [
    '201',
    '400',
  ]),
]

const VALUES: readonly HostileCase[] = [
  field('a value of 64 KiB', 'name="a"', ['201'], 'v'.repeat(65_536)),
  field('a value of 64 KiB and a byte', 'name="a"', ['413'], 'v'.repeat(65_537)),
  field('a value of 1 MB', 'name="a"', ['413'], 'v'.repeat(1_000_000)),
  field('a value of bytes that are no UTF-8', 'name="a"', ['201', '400'], '\xff\xfe\0\x80'),
  sent('a file as large as one may be', () => [file(Buffer.alloc(MAX_FILE_SIZE, 'f'))], ['201']),
  sent('a file of a byte more', () => [file(Buffer.alloc(MAX_FILE_SIZE + 1, 'f'))], ['413']),
  sent('a file of a byte more, in chunks', () => [file(Buffer.alloc(MAX_FILE_SIZE + 1, 'f'))], ['413'], {
    length: 'chunked',
  }),
  sent(
    'a body that is larger than file and fields may be',
    () => [file(Buffer.alloc(MAX_FILE_SIZE + 100_000, 'f'))],
    ['413'],
  ),
  {
    name: 'fields in front that leave the file its room',
    steps: () => [post(form(part('name="a"', 'v'.repeat(60_000)), file(Buffer.alloc(MAX_FILE_SIZE, 'f'))))],
    expect: ['201'],
    check: (exchange) => void storedBy(exchange, Buffer.alloc(MAX_FILE_SIZE, 'f')),
  },
  {
    name: 'fields of 20 × 64 KiB in chunks, then nothing more',
    steps: () => [
      post(bytesOf(...times(20, (at) => part(`name="f${at}"`, 'v'.repeat(65_536)))), { length: 'chunked' }),
    ],
    expect: ['400', '413'],
  },
]

export const FIELDS: readonly HostileCase[] = [...COUNTS, ...NAMES, ...VALUES]
