import { type Case, cases } from '../case.ts'

const WHOLE_OR_REFUSED = ['whole', 206, 400, 416, 431] as const
const list = (count: number, element: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => element(at))

/** RFC 9110 §14.2 and §17.15: no list of ranges or tags costs more than the file. */
export const waste: readonly Case[] = cases(
  {
    id: 'nested-ranges',
    level: 'quality',
    section: '17.15',
    title: 'sends about one file at most for six hundred ranges within each other',
    file: 'ten-mib.bin',
    headers: [`Range: bytes=${list(600, (at) => `${at}-`)}`],
    expect: WHOLE_OR_REFUSED,
    demands: { mostBytes: 11_000_000, mostMilliseconds: 3000 },
  },
  {
    id: 'three-overlapping',
    level: 'quality',
    section: '14.2',
    title: 'sends about one file at most for three ranges of all of it',
    file: 'ten-mib.bin',
    headers: ['Range: bytes=0-,1-,2-'],
    expect: WHOLE_OR_REFUSED,
    demands: { mostBytes: 11_000_000 },
  },
  {
    id: 'scattered-bytes',
    level: 'quality',
    section: '15.3.7.2',
    title: 'does not wrap two hundred single bytes of a small file into many times its length',
    file: 'letters.txt',
    headers: [`Range: bytes=${list(200, (at) => `${at * 4}-${at * 4}`)}`],
    expect: WHOLE_OR_REFUSED,
    demands: { mostBytes: 4000 },
  },
  {
    id: 'long-field',
    level: 'quality',
    section: '14.2',
    title: 'answers a Range field of 7 KiB at once',
    file: 'letters.txt',
    headers: [`Range: bytes=${list(900, (at) => `${at}-${at}`)}`],
    expect: WHOLE_OR_REFUSED,
    demands: { mostMilliseconds: 2000 },
  },
  {
    id: 'long-number',
    level: 'quality',
    section: '14.1.2',
    title: 'answers a number of seven thousand digits at once',
    file: 'letters.txt',
    headers: [`Range: bytes=0-${'0'.repeat(7000)}x`],
    expect: WHOLE_OR_REFUSED,
    demands: { mostMilliseconds: 2000 },
  },
  {
    id: 'commas',
    level: 'quality',
    section: '5.6.1.2',
    title: 'answers seven thousand commas in If-None-Match at once',
    file: 'letters.txt',
    headers: [`If-None-Match: ${','.repeat(7000)}`],
    expect: 'whole',
    demands: { mostMilliseconds: 2000 },
  },
  {
    id: 'open-quote',
    level: 'quality',
    section: '8.8.3',
    title: 'answers seven thousand tags that never close at once',
    file: 'letters.txt',
    headers: [`If-None-Match: ${'"a '.repeat(2300)}`],
    expect: 'whole',
    demands: { mostMilliseconds: 2000 },
  },
)
