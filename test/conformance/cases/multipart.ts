import { type Case, cases, type Exchange } from '../case.ts'

const section = '15.3.7.2'
const range = (value: string) =>
  ({ file: 'letters.txt', headers: [`Range: ${value}`] }) satisfies Partial<Exchange>
const TEN = Array.from({ length: 10 }, (_, at) => `${at * 100}-${at * 100 + 9}`).join()

/** RFC 9110 §14.6 and §15.3.7.2. That the body is well-formed is checked for each of them. */
export const multipart: readonly Case[] = cases(
  {
    id: 'two-parts',
    level: 'should',
    section,
    title: 'sends two ranges as two parts',
    ...range('bytes=0-9,500-509'),
    expect: 'parts 0-9, 500-509',
  },
  {
    id: 'first-and-last',
    level: 'should',
    section: '14.1.2',
    title: 'sends the first and the last byte for 0-0,-1',
    ...range('bytes=0-0,-1'),
    expect: 'parts 0-0, 999-999',
  },
  {
    id: 'well-formed',
    level: 'must',
    section: '14.6',
    title: 'lays out the parts of a multipart answer as they have to be',
    ...range('bytes=0-0,100-299,900-'),
    expect: ['covers 0-0, 100-299, 900-999', 'whole'],
  },
  {
    id: 'order',
    level: 'should',
    section,
    title: 'sends parts in the order of the request, not of the file',
    ...range('bytes=900-909,0-9,500-509'),
    expect: 'parts 900-909, 0-9, 500-509',
  },
  {
    id: 'unsatisfiable-among',
    level: 'should',
    section,
    title: 'omits ranges that start past the end',
    ...range('bytes=0-9,5000-,500-509'),
    expect: 'parts 0-9, 500-509',
  },
  {
    id: 'single-is-not-multipart',
    level: 'must',
    section,
    title: 'never answers one range with multipart, empty elements around it or not',
    steps: [
      { ...range('bytes=10-19'), expect: ['part 10-19', 'whole'] },
      { ...range('bytes=,10-19, ,'), expect: ['part 10-19', 'whole', 400, 416] },
    ],
  },
  {
    id: 'overlapping',
    level: 'quality',
    section,
    title: 'sends no byte twice for ranges that overlap, or are the same',
    steps: [
      {
        ...range('bytes=0-99,50-149'),
        expect: ['covers 0-149', 'whole'],
        demands: { eachByteOnce: true },
      },
      {
        ...range('bytes=0-99,0-99,0-99'),
        expect: ['covers 0-99', 'whole'],
        demands: { eachByteOnce: true },
      },
    ],
  },
  {
    id: 'touching',
    level: 'quality',
    section,
    title: 'joins ranges that touch',
    ...range('bytes=500-599,600-699'),
    expect: 'covers 500-699',
    demands: { apart: true },
  },
  {
    id: 'overlapping-out-of-order',
    level: 'quality',
    section,
    title: 'joins what overlaps in any order, and keeps the rest apart',
    ...range('bytes=600-699,0-9,650-749'),
    expect: 'parts 600-749, 0-9',
  },
  {
    id: 'ten-parts',
    level: 'should',
    section: '14.2',
    title: 'sends ten ranges of ten bytes',
    ...range(`bytes=${TEN}`),
    expect: `covers ${TEN}`,
  },
  {
    id: 'big-parts',
    level: 'should',
    section,
    title: 'sends three parts of a MiB each',
    file: 'ten-mib.bin',
    headers: ['Range: bytes=1-1048576,4000000-5048575,-1048576'],
    expect: 'parts 1-1048576, 4000000-5048575, 9437184-10485759',
  },
  {
    id: 'typed-parts',
    level: 'should',
    section,
    title: 'gives each part the Content-Type of the 200',
    steps: [
      {
        file: 'page.html',
        headers: ['Range: bytes=0-9,500-509'],
        expect: 'parts 0-9, 500-509',
        demands: { typedParts: true },
      },
      {
        file: 'clip.mp4',
        headers: ['Range: bytes=0-9,5000-5009'],
        expect: 'parts 0-9, 5000-5009',
        demands: { typedParts: true },
      },
    ],
  },
  {
    id: 'multipart-fields',
    level: 'must',
    section: '15.3.7',
    title: 'repeats the fields of the 200 around several parts',
    ...range('bytes=0-9,500-509'),
    expect: [206, 'whole'],
    demands: {
      fields: {
        etag: 'as in the 200',
        'last-modified': 'as in the 200',
        'cache-control': 'as in the 200',
        expires: 'as in the 200',
        vary: 'as in the 200',
        'content-location': 'as in the 200',
        date: 'present',
      },
    },
  },
  {
    id: 'multipart-length',
    level: 'should',
    section: '8.6',
    title: 'knows the length of several parts before it sends them',
    ...range('bytes=0-9,500-509,-10'),
    expect: 'covers 0-9, 500-509, 990-999',
    demands: { knownLength: true },
  },
  {
    id: 'boundary-plain',
    level: 'quality',
    section: '14.6',
    title: 'has a boundary that needs no quotes',
    ...range('bytes=0-9,500-509'),
    expect: 'parts 0-9, 500-509',
    demands: { plainBoundary: true },
  },
  {
    id: 'boundary-new',
    level: 'quality',
    section: 'RFC 2046 §5.1.1',
    title: 'has another boundary each time, so that no file can be made to contain it',
    steps: [
      { ...range('bytes=0-9,500-509'), expect: 'parts 0-9, 500-509', save: 'one' },
      { ...range('bytes=0-9,500-509'), expect: 'parts 0-9, 500-509', save: 'other' },
      { differ: ['one', 'other'], by: 'boundary' },
    ],
  },
)
