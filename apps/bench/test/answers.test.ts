import { describe, expect, it } from 'vitest'
import { type Answer, faultOf } from '../src/ranges/clients/answer.ts'
import { AnswerReader } from '../src/ranges/clients/answer-reader.ts'
import { parseByteranges } from '../src/ranges/clients/byteranges.ts'
import { readTotals, totalsFault } from '../src/ranges/clients/wrk.ts'
import { drawApart, drawRanges, shuffledBlocks } from '../src/ranges/files/byte-range.ts'
import type { Wanted } from '../src/ranges/kinds.ts'

const file = { name: 'ten', size: 10 }
const content = Buffer.from('0123456789')
const read = (_: unknown, { start, end }: { start: number; end: number }) => content.subarray(start, end + 1)

const wanted: Wanted = { answer: 'range', range: { start: 2, end: 4 } }
const right: Answer = {
  status: 206,
  fields: { 'content-range': 'bytes 2-4/10', 'content-length': '3' },
  body: Buffer.from('234'),
}

function multipart(...parts: readonly string[]): Answer {
  const body = `${parts.join('')}--b--\r\n`
  return {
    status: 206,
    fields: { 'content-type': 'multipart/byteranges; boundary=b' },
    body: Buffer.from(body),
  }
}

function part(start: number, text: string): string {
  const range = `bytes ${start}-${start + text.length - 1}/10`
  return `--b\r\nContent-Type: video/mp4\r\nContent-Range: ${range}\r\n\r\n${text}\r\n`
}

describe('faultOf', () => {
  it('finds none in the range that was asked for', () => {
    expect(faultOf(right, wanted, file, read)).toBeNull()
  })

  it.each([
    ['the whole file', { status: 200, fields: {}, body: content }, '200'],
    ['another byte', { ...right, body: Buffer.from('239') }, 'not the file'],
    ['a byte too few', { ...right, body: Buffer.from('23') }, 'not the file'],
    [
      'another range',
      { ...right, fields: { 'content-range': 'bytes 1-3/10' } },
      'Content-Range: bytes 1-3/10',
    ],
    ['another length', { ...right, fields: { ...right.fields, 'content-length': '9' } }, 'Content-Length: 9'],
  ])('finds %s', (_, answer, fault) => {
    expect(faultOf(answer, wanted, file, read)).toContain(fault)
  })

  it.each([
    ['whole', { status: 200, fields: {}, body: content }, { answer: 'whole' }],
    ['head', { status: 200, fields: { 'content-length': '10' }, body: Buffer.alloc(0) }, { answer: 'head' }],
    ['304', { status: 304, fields: {}, body: Buffer.alloc(0) }, { answer: 'not modified', etag: '"1"' }],
  ] as const)('finds none in a right answer: %s', (_, answer, what) => {
    expect(faultOf(answer, what, file, read)).toBeNull()
  })

  it('finds a 200 where nothing is modified', () => {
    const answer = { status: 200, fields: {}, body: content }
    expect(faultOf(answer, { answer: 'not modified', etag: '"1"' }, file, read)).toBe('200')
  })

  it('compares each part of several ranges', () => {
    const several: Wanted = {
      answer: 'ranges',
      ranges: [
        { start: 0, end: 1 },
        { start: 8, end: 9 },
      ],
    }
    expect(faultOf(multipart(part(0, '01'), part(8, '89')), several, file, read)).toBeNull()
    expect(faultOf(multipart(part(0, '01'), part(8, '88')), several, file, read)).toContain('other parts')
    expect(faultOf(multipart(part(0, '01')), several, file, read)).toContain('other parts')
    expect(faultOf({ ...right, fields: { 'content-type': 'video/mp4' } }, several, file, read)).toContain(
      'video/mp4',
    )
  })
})

describe('parseByteranges', () => {
  it('goes by Content-Range, so that bytes may look like a boundary', () => {
    const { fields, body } = multipart(part(0, '\r\n--b--'))
    const parts = parseByteranges(fields['content-type'] ?? '', body)
    expect(parts?.map(({ bytes }) => bytes.toString())).toEqual(['\r\n--b--'])
  })

  it('is null for a body that breaks off', () => {
    const { fields, body } = multipart(part(0, '01'), part(8, '89'))
    expect(parseByteranges(fields['content-type'] ?? '', body.subarray(0, body.length - 12))).toBeNull()
  })
})

describe('AnswerReader', () => {
  const answers =
    'HTTP/1.1 206 Partial Content\r\nContent-Length: 3\r\n\r\n234HTTP/1.1 304 Not Modified\r\ncontent-length: 0\r\n\r\n'

  it.each([1, 2, 7, 1000])('counts answers in pieces of %i bytes', (length) => {
    let count = 0
    const reader = new AnswerReader('GET', () => count++)
    for (let at = 0; at < answers.length; at += length) {
      reader.take(Buffer.from(answers.slice(at, at + length)))
    }
    expect(count).toBe(2)
  })

  it('expects no body after HEAD', () => {
    let count = 0
    const reader = new AnswerReader('HEAD', () => count++)
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n'
    reader.take(Buffer.from(head + head))
    expect(count).toBe(2)
  })

  it('throws for an answer that refuses', () => {
    const reader = new AnswerReader('GET', () => undefined)
    const head = 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'
    expect(() => reader.take(Buffer.from(head))).toThrow('404')
  })
})

describe("wrk's totals", () => {
  const totals = { requests: 10, bytes: 10_500, microseconds: 1e6, refused: 0, broken: 0, timeouts: 0 }

  it('are the last line', () => {
    expect(readTotals(`ready\nRunning 1m test\n${JSON.stringify(totals)}\n`)).toEqual(totals)
    expect(() => readTotals('unable to connect')).toThrow('unable to connect')
  })

  it('fit answers of the right length', () => {
    expect(totalsFault(totals, 1000, 4)).toBeNull()
  })

  it.each([
    ['a refusal', { refused: 1 }, '1 answers of status 400'],
    ['a broken connection', { broken: 1 }, '1 broken'],
    ['too few bytes', { bytes: 9999 }, '9999 bytes'],
    ['too many bytes', { bytes: 1e6 }, '1000000 bytes'],
  ])('do not fit with %s', (_, change, fault) => {
    expect(totalsFault({ ...totals, ...change }, 1000, 4)).toContain(fault)
  })
})

describe('ranges', () => {
  it('are of the length asked for and lie where they should', () => {
    for (const { start, end } of drawRanges(500, 4, 10, 20)) {
      expect(end - start).toBe(3)
      expect(start).toBeGreaterThanOrEqual(10)
      expect(end).toBeLessThan(20)
    }
  })

  it('that are drawn apart come in order and do not touch', () => {
    const ranges = drawApart(10, 4, 1000)
    const gaps = ranges.slice(1).map(({ start }, at) => start - (ranges[at]?.end ?? Number.NaN))
    expect(Math.min(...gaps)).toBeGreaterThan(1)
    expect(ranges.at(-1)?.end).toBeLessThan(1000)
  })

  it('that are shuffled cover every block once', () => {
    const starts = shuffledBlocks(10, 1000).map(({ start }) => start)
    expect(starts.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, at) => at * 10))
    expect(starts).not.toEqual(starts.toSorted((a, b) => a - b))
  })
})
