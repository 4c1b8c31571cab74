import { type Case, cases, type Exchange } from '../case.ts'

const letters = (method: string, ...headers: readonly string[]) =>
  ({ file: 'letters.txt', method, headers }) satisfies Partial<Exchange>
const SAME = { 'content-length': 'as in the 200', 'content-type': 'as in the 200' } as const

/** RFC 9110 §14.2: Range is for GET; §13.2.1: OPTIONS has no conditions; §9.3.2: HEAD. */
export const methods: readonly Case[] = cases(
  {
    id: 'head-range',
    level: 'must',
    section: '14.2',
    title: 'answers HEAD with Range as HEAD without, be it one range, several or none that can be',
    steps: [
      { ...letters('HEAD', 'Range: bytes=0-9'), expect: 'whole', demands: { fields: SAME } },
      { ...letters('HEAD', 'Range: bytes=0-9,500-509'), expect: 'whole', demands: { fields: SAME } },
      { ...letters('HEAD', 'Range: bytes=5000-'), expect: 'whole', demands: { fields: SAME } },
    ],
  },
  {
    id: 'head-fields',
    level: 'should',
    section: '9.3.2',
    title: 'sends HEAD the fields that GET gets',
    ...letters('HEAD'),
    expect: 'whole',
    demands: {
      fields: {
        'content-type': 'as in the 200',
        etag: 'as in the 200',
        'last-modified': 'as in the 200',
        'cache-control': 'as in the 200',
        'accept-ranges': 'as in the 200',
        vary: 'as in the 200',
      },
    },
  },
  {
    id: 'post-range',
    level: 'must',
    section: '14.2',
    title: 'ignores Range on POST',
    ...letters('POST', 'Range: bytes=0-9'),
    body: 'a=b',
    expect: { not: [206, 416, 500] },
  },
  {
    id: 'post-conditions',
    level: 'must',
    section: '13.1.2',
    title: 'never answers 304 to POST',
    ...letters('POST', 'If-None-Match: {etag}'),
    body: 'a=b',
    expect: { not: [304, 500] },
  },
  {
    id: 'options-range',
    level: 'must',
    section: '14.2',
    title: 'ignores Range on OPTIONS',
    ...letters('OPTIONS', 'Range: bytes=5000-'),
    expect: { not: [206, 416, 500] },
  },
  {
    id: 'options-conditions',
    level: 'must',
    section: '13.2.1',
    title: 'ignores conditions on OPTIONS',
    ...letters('OPTIONS', 'If-None-Match: *', 'If-Match: "another"'),
    expect: { not: [304, 412, 500] },
  },
  {
    id: 'unknown-method-range',
    level: 'must',
    section: '14.2',
    title: 'ignores Range on a method that it does not have',
    ...letters('PROPFIND', 'Range: bytes=0-9'),
    expect: { not: [206, 416, 500] },
  },
  {
    id: 'content-range-on-get',
    level: 'must',
    section: '14.4',
    title: 'ignores Content-Range on GET',
    ...letters('GET', 'Content-Range: bytes 0-9/1000'),
    expect: 'whole',
  },
  {
    id: 'content-range-on-put',
    level: 'should',
    section: '14.5',
    title: 'refuses a PUT of a part',
    ...letters('PUT', 'Content-Range: bytes 0-2/1000', 'Content-Type: text/plain'),
    body: 'a=b',
    expect: [400, 403, 404, 405, 501],
  },
)
