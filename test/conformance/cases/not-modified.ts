import { type Case, cases, SAME } from '../case.ts'

const file = 'letters.txt'

/** RFC 9110 §15.4.5. */
export const notModified: readonly Case[] = cases(
  {
    id: '304-fields',
    level: 'must',
    section: '15.4.5',
    title: 'has ETag, Cache-Control, Expires, Vary and Content-Location of the 200 in a 304, and a Date',
    file,
    headers: ['If-None-Match: {etag}'],
    expect: 304,
    demands: { fields: SAME },
  },
  {
    id: '304-fields-by-date',
    level: 'must',
    section: '15.4.5',
    title: 'has them too when a date was the condition',
    file,
    headers: ['If-Modified-Since: {date}'],
    expect: [304, 'whole'],
    demands: { fields: SAME },
  },
  {
    id: '304-fields-head',
    level: 'must',
    section: '15.4.5',
    title: 'has them too in a 304 to HEAD',
    file,
    method: 'HEAD',
    headers: ['If-None-Match: *'],
    expect: 304,
    demands: { fields: SAME },
  },
  {
    id: '304-lean',
    level: 'should',
    section: '15.4.5',
    title: 'has nothing in a 304 that only describes content',
    file: 'clip.mp4',
    headers: ['If-None-Match: *'],
    expect: 304,
    demands: {
      fields: { 'content-type': 'absent', 'content-encoding': 'absent', 'content-language': 'absent' },
    },
  },
)
