import { type Case, cases, type Exchange } from '../case.ts'

const section = '15.5.17'
const range = (value: string) =>
  ({ file: 'letters.txt', headers: [`Range: ${value}`] }) satisfies Partial<Exchange>

/** RFC 9110 §14.1.2 for what cannot be satisfied, §14.4 and §15.5.17 for how that is said. */
export const unsatisfiable: readonly Case[] = cases(
  {
    id: 'at-the-end',
    level: 'should',
    section,
    title: 'says 416 and the length to a first-pos equal to the length',
    ...range('bytes=1000-'),
    expect: 'unsatisfied',
  },
  {
    id: 'behind-the-end',
    level: 'should',
    section,
    title: 'answers 416 and the length to a range far past the end, and to a hundred digits',
    steps: [
      { ...range('bytes=99999-100000'), expect: 'unsatisfied' },
      { ...range(`bytes=${'9'.repeat(100)}-`), expect: 'unsatisfied' },
    ],
  },
  {
    id: 'suffix-of-none',
    level: 'should',
    section: '14.1.2',
    title: 'says 416 to -0, which is valid and holds nothing',
    ...range('bytes=-0'),
    expect: 'unsatisfied',
  },
  {
    id: 'none-of-many',
    level: 'should',
    section,
    title: 'says 416 when none of several can be satisfied',
    ...range('bytes=1000-,-0,2000-3000'),
    expect: 'unsatisfied',
  },
  {
    id: 'one-of-many',
    level: 'should',
    section: '14.2',
    title: 'sends the one that can be satisfied',
    ...range('bytes=1000-,10-19,-0'),
    expect: ['part 10-19', 'parts 10-19'],
  },
  {
    id: '416-content',
    level: 'must',
    section,
    title: 'has none of the file in a 416, and no range of it in Content-Range',
    ...range('bytes=1000-1009'),
    expect: [416, 'whole'],
    demands: { withoutFileBytes: true },
  },
  {
    id: '416-content-range',
    level: 'should',
    section: '14.4',
    title: 'has a Content-Range with an asterisk for the range',
    ...range('bytes=1000-1009'),
    expect: 416,
    demands: { fields: { 'content-range': /^bytes \*\/1000$/, date: 'present' } },
  },
  {
    id: '416-explains',
    level: 'should',
    section: '15.5',
    title: 'explains a 416 in its content',
    ...range('bytes=1000-'),
    expect: 416,
    demands: { explains: true },
  },
  {
    id: '416-type',
    level: 'quality',
    section: '8.3',
    title: 'does not give the explanation the type of the file',
    file: 'clip.mp4',
    headers: ['Range: bytes=999999-'],
    expect: 'unsatisfied',
    demands: { fields: { 'content-type': { not: /^video\// } } },
  },
  {
    id: 'empty-file',
    level: 'must',
    section: '14.4',
    title: 'has no 206 for any range of an empty file, which no Content-Range can express',
    steps: [
      { file: 'empty.txt', headers: ['Range: bytes=0-'], expect: ['whole', 416] },
      { file: 'empty.txt', headers: ['Range: bytes=-5'], expect: ['whole', 416] },
      { file: 'empty.txt', headers: ['Range: bytes=-0,0-9'], expect: ['whole', 416] },
    ],
  },
)
