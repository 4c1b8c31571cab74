import fc from 'fast-check'
import { layoutMultipart, type MultipartLayout } from 'range-core'
import { describe, expect, it } from 'vitest'

const RANGES = [
  { start: 0, end: 0 },
  { start: 9, end: 9 },
]

function assemble({ parts, tail }: MultipartLayout, content: Uint8Array): Buffer {
  const chunks = parts.map(({ head, range }) =>
    Buffer.concat([Buffer.from(head, 'latin1'), content.subarray(range.start, range.end + 1)]),
  )
  return Buffer.concat([...chunks, Buffer.from(tail, 'latin1')])
}

describe('layoutMultipart: RFC 9110 §14.6', () => {
  it('lays out the example of its documentation', () => {
    const { contentType } = layoutMultipart(RANGES, 10, 'text/plain', 'x')
    expect(contentType).toBe('multipart/byteranges; boundary=x')
  })

  it('gives each part a boundary, its Content-Type and its Content-Range', () => {
    const layout = layoutMultipart(RANGES, 10, 'text/plain', 'x')
    expect(assemble(layout, Buffer.from('0123456789')).toString()).toBe(
      [
        '--x',
        'Content-Type: text/plain',
        'Content-Range: bytes 0-0/10',
        '',
        '0',
        '--x',
        'Content-Type: text/plain',
        'Content-Range: bytes 9-9/10',
        '',
        '9',
        '--x--',
        '',
      ].join('\r\n'),
    )
  })

  it('leaves Content-Type out of the parts of unknown type', () => {
    const layout = layoutMultipart(RANGES, 10, undefined, 'x')
    expect(layout.parts.map(({ head }) => head)).toEqual([
      '--x\r\nContent-Range: bytes 0-0/10\r\n\r\n',
      '\r\n--x\r\nContent-Range: bytes 9-9/10\r\n\r\n',
    ])
  })

  it('keeps the ranges in the order given', () => {
    const descending = [...RANGES].reverse()
    expect(layoutMultipart(descending, 10, undefined).parts.map(({ range }) => range)).toEqual(descending)
  })

  it('makes another boundary of 128 bits each time (RFC 2046 §5.1.1)', () => {
    const types = Array.from({ length: 100 }, () => layoutMultipart(RANGES, 10, undefined).contentType)
    expect(types.filter((type) => !/^multipart\/byteranges; boundary=[0-9a-f]{32}$/.test(type))).toEqual([])
    expect(new Set(types).size).toBe(100)
  })

  it('uses the boundary of its Content-Type between the parts', () => {
    const { contentType, parts, tail } = layoutMultipart(RANGES, 10, undefined)
    const boundary = contentType.replace('multipart/byteranges; boundary=', '')
    expect(parts.map(({ head }) => head.includes(`--${boundary}\r\n`))).toEqual([true, true])
    expect(tail).toBe(`\r\n--${boundary}--\r\n`)
  })

  it('knows the length of the body to the byte (property)', () => {
    const content = Buffer.alloc(500, 'x')
    const range = fc
      .tuple(fc.nat(499), fc.nat(499))
      .map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }))
    const type = fc.option(fc.constantFrom('video/mp4', 'text/plain; charset=utf-8', 'text/x; n="\u00e9"'), {
      nil: undefined,
    })
    const boundary = fc.option(fc.stringMatching(/^[0-9A-Za-z'()+_,./:=?-]{1,70}$/), { nil: undefined })
    fc.assert(
      fc.property(
        fc.array(range, { minLength: 1, maxLength: 20 }),
        type,
        boundary,
        (ranges, mediaType, mark) => {
          const layout = layoutMultipart(ranges, 500, mediaType, mark)
          expect(assemble(layout, content).length).toBe(layout.contentLength)
        },
      ),
    )
  })
})
