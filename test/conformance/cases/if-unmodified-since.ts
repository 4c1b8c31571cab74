import { type Case, cases } from '../case.ts'

const file = 'letters.txt'
const section = '13.1.4'

/** RFC 9110 §13.1.4. */
export const ifUnmodifiedSince: readonly Case[] = cases(
  {
    id: 'ius-same',
    level: 'must',
    section,
    title: 'proceeds with its own Last-Modified, though the file has a fraction of a second more',
    file,
    headers: ['If-Unmodified-Since: {date}'],
    expect: 'whole',
  },
  {
    id: 'ius-later',
    level: 'must',
    section,
    title: 'proceeds with a date after it',
    file,
    headers: ['If-Unmodified-Since: {date+1h}'],
    expect: 'whole',
  },
  {
    id: 'ius-earlier',
    level: 'must',
    section,
    title: 'refuses one second before it with 412',
    file,
    headers: ['If-Unmodified-Since: {date-1s}'],
    expect: 412,
  },
  {
    id: 'ius-head',
    level: 'must',
    section,
    title: 'refuses HEAD as it would GET',
    file,
    method: 'HEAD',
    headers: ['If-Unmodified-Since: {date-1s}'],
    expect: 412,
  },
  {
    id: 'ius-rfc850',
    level: 'must',
    section: '5.6.7',
    title: 'understands the form of RFC 850',
    file,
    headers: ['If-Unmodified-Since: {date-1s|rfc850}'],
    expect: 412,
  },
  {
    id: 'ius-asctime',
    level: 'must',
    section: '5.6.7',
    title: 'understands the form of asctime, as UTC',
    file,
    headers: ['If-Unmodified-Since: {date-1h|asctime}'],
    expect: 412,
  },
  {
    id: 'ius-no-date',
    level: 'must',
    section,
    title: 'ignores what is no HTTP-date',
    steps: [
      { file, headers: ['If-Unmodified-Since: 0'], expect: 'whole' },
      { file, headers: ['If-Unmodified-Since: {date-1d|iso}'], expect: 'whole' },
    ],
  },
  {
    id: 'ius-list',
    level: 'must',
    section,
    title: 'ignores a list of dates',
    file,
    headers: ['If-Unmodified-Since: {date-1d}, {date-1d}'],
    expect: 'whole',
  },
  {
    id: 'ius-two-lines',
    level: 'must',
    section,
    title: 'ignores two dates on two lines, which are a list too',
    file,
    headers: ['If-Unmodified-Since: {date-1d}', 'If-Unmodified-Since: {date-1d}'],
    expect: 'whole',
  },
)
