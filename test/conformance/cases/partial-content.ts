import { type Case, cases, SAME } from '../case.ts'

const file = 'letters.txt'

/** RFC 9110 §15.3.7 for the fields of a 206, §14.3 for Accept-Ranges, §14.4 for Content-Range. */
export const partialContent: readonly Case[] = cases(
  {
    id: '206-fields',
    level: 'must',
    section: '15.3.7',
    title: 'has ETag, Cache-Control, Expires, Vary and Content-Location of the 200 in a 206, and a Date',
    file,
    headers: ['Range: bytes=10-19'],
    expect: ['part 10-19', 'whole'],
    demands: {
      fields: SAME,
    },
  },
  {
    id: '206-representation-fields',
    level: 'must',
    section: '15.3.7',
    title: 'describes the file in a 206 as in the 200: type, coding, language, modification',
    file: 'clip.mp4',
    headers: ['Range: bytes=10-19'],
    expect: ['part 10-19', 'whole'],
    demands: {
      fields: {
        'content-type': 'as in the 200',
        'content-encoding': 'as in the 200',
        'content-language': 'as in the 200',
        'last-modified': 'as in the 200',
      },
    },
  },
  {
    id: '206-length',
    level: 'should',
    section: '8.6',
    title: 'says how long a range is',
    file: 'ten-mib.bin',
    headers: ['Range: bytes=100-9999999'],
    expect: 'part 100-9999999',
    demands: { fields: { 'content-length': /^9999900$/ } },
  },
  {
    id: '206-complete-length',
    level: 'should',
    section: '14.4',
    title: 'says how long the whole is, which it knows',
    file,
    headers: ['Range: bytes=10-19'],
    expect: 'part 10-19',
    demands: { fields: { 'content-range': /^bytes 10-19\/1000$/ } },
  },
  {
    id: '206-of-identity',
    level: 'must',
    section: '14.1.2',
    title: 'cuts ranges from the representation that it sends, gzip accepted or not',
    only: 'files',
    file: 'coded.txt',
    headers: ['Accept-Encoding: gzip', 'Range: bytes=100-199'],
    expect: ['part 100-199', 'whole'],
  },
  {
    id: 'accept-ranges',
    level: 'quality',
    section: '14.3',
    title: 'says Accept-Ranges: bytes with a 200',
    file: 'clip.mp4',
    expect: 'whole',
    demands: { fields: { 'accept-ranges': /^bytes$/i } },
  },
  {
    id: 'accept-ranges-head',
    level: 'quality',
    section: '14.3',
    title: 'says Accept-Ranges: bytes to HEAD, by which download managers ask',
    file: 'clip.mp4',
    method: 'HEAD',
    expect: 'whole',
    demands: { fields: { 'accept-ranges': /^bytes$/i } },
  },
)
