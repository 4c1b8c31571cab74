import { type Case, cases, type Exchange } from '../case.ts'

const letters = (...headers: readonly string[]) =>
  ({ file: 'letters.txt', headers }) satisfies Partial<Exchange>

/** RFC 9112 §6.3 and §9.3: every answer ends where it says, so that the next one can follow. */
export const connections: readonly Case[] = cases(
  {
    id: 'pipelined-ranges',
    level: 'must',
    section: 'RFC 9112 §9.3.2',
    title: 'answers ranges that were pipelined, in their order',
    steps: [
      {
        pipelined: [
          { ...letters('Range: bytes=0-9'), expect: ['part 0-9', 'whole'] },
          { ...letters('Range: bytes=-1'), expect: ['part 999-999', 'whole'] },
          { ...letters('Range: bytes=500-509'), expect: ['part 500-509', 'whole'] },
        ],
      },
    ],
  },
  {
    id: 'pipelined-kinds',
    level: 'must',
    section: 'RFC 9112 §9.3.2',
    title: 'keeps its framing through 206, 304, 412, 416, multipart and HEAD in one go',
    steps: [
      {
        pipelined: [
          { ...letters('Range: bytes=0-9'), expect: [206, 'whole'] },
          { ...letters('If-Modified-Since: {date}'), expect: [304, 'whole'] },
          { ...letters('If-Match: "another"'), expect: [412, 'whole'] },
          { ...letters('Range: bytes=5000-'), expect: [416, 'whole'] },
          { ...letters('Range: bytes=0-9,500-509'), expect: [206, 'whole'] },
          { ...letters(), method: 'HEAD', expect: 'whole' },
          { ...letters(), expect: 'whole' },
        ],
      },
    ],
  },
  {
    id: 'kept-open',
    level: 'must',
    section: 'RFC 9112 §9.3',
    title: 'can be asked again after a 416, a 304 and a long range',
    steps: [
      {
        inTurn: [
          { ...letters('Range: bytes=5000-'), expect: [416, 'whole'] },
          { ...letters('If-Modified-Since: {date}'), expect: [304, 'whole'] },
          {
            file: 'ten-mib.bin',
            headers: ['Range: bytes=1-5000000'],
            expect: ['part 1-5000000', 'whole'],
          },
          { ...letters('Range: bytes=10-19'), expect: ['part 10-19', 'whole'] },
        ],
      },
    ],
  },
  {
    id: 'http-1-0',
    level: 'must',
    section: 'RFC 9112 §6.1',
    title: 'sends a range to HTTP/1.0 without chunks',
    ...letters('Range: bytes=10-19'),
    version: '1.0',
    expect: ['part 10-19', 'whole'],
    demands: { fields: { 'transfer-encoding': 'absent' } },
  },
  {
    id: 'http-1-0-multipart',
    level: 'must',
    section: 'RFC 9112 §6.1',
    title: 'sends several ranges to HTTP/1.0 without chunks',
    ...letters('Range: bytes=0-9,500-509'),
    version: '1.0',
    expect: [206, 'whole'],
    demands: { fields: { 'transfer-encoding': 'absent' } },
  },
  {
    id: 'at-once',
    level: 'must',
    section: '15.3.7.1',
    title: 'sends eight ranges of one file at the same time',
    steps: [
      {
        together: Array.from({ length: 8 }, (_, at) => ({
          file: 'ten-mib.bin',
          headers: [`Range: bytes=${at * 1310720}-${at * 1310720 + 1310719}`],
          expect: [`part ${at * 1310720}-${at * 1310720 + 1310719}` as const, 'whole' as const],
        })),
      },
    ],
  },
  {
    id: 'abandoned',
    level: 'quality',
    section: 'RFC 9112 §9.6',
    title: 'serves as before after twenty aborted downloads',
    steps: [
      {
        abandoned: { file: 'ten-mib.bin', headers: ['Range: bytes=1-'], expect: 206 },
        times: 20,
      },
      {
        file: 'ten-mib.bin',
        headers: ['Range: bytes=1000000-1999999'],
        expect: ['part 1000000-1999999', 'whole'],
      },
    ],
  },
)
