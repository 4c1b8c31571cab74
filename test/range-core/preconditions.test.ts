import {
  evaluatePreconditions,
  formatHttpDate,
  type PreconditionOutcome,
  type Representation,
  type RequestFields,
} from 'range-core'
import { describe, expect, it } from 'vitest'

const NOW = Date.parse('2025-06-15T12:00:00Z')
const CHANGED = Date.parse('2025-06-01T00:00:00.750Z')
const AT = formatHttpDate(CHANGED)
const BEFORE = formatHttpDate(CHANGED - 1000)
const AFTER = formatHttpDate(CHANGED + 1000)
const current: Representation = { size: 10, etag: '"a"', lastModified: CHANGED }

function evaluate(headers: RequestFields, method = 'GET', representation: Representation | null = current) {
  return evaluatePreconditions({ method, headers }, representation, NOW)
}

type Row = [string, RequestFields, PreconditionOutcome]

describe('evaluatePreconditions, one field at a time', () => {
  it('evaluates the example of its documentation', () => {
    const request = { method: 'GET', headers: { 'if-none-match': '"a"' } }
    expect(evaluatePreconditions(request, { size: 1, etag: '"a"' })).toBe('not-modified')
  })

  it('lets a request without preconditions proceed', () => {
    expect(evaluate({ range: 'bytes=0-', 'if-range': '"other"' })).toBe('proceed')
  })

  it.each<Row>([
    ['the current tag holds', { 'if-match': '"a"' }, 'proceed'],
    ['the current tag in a list holds', { 'if-match': '"x", "a"' }, 'proceed'],
    ['an asterisk holds', { 'if-match': '*' }, 'proceed'],
    ['another tag fails', { 'if-match': '"x"' }, 'precondition-failed'],
    ['a weak form of the tag fails: strong comparison', { 'if-match': 'W/"a"' }, 'precondition-failed'],
    ['a malformed value fails', { 'if-match': 'a' }, 'precondition-failed'],
    ['an empty value fails', { 'if-match': '' }, 'precondition-failed'],
    ['a list on two lines is one list', { 'if-match': ['"x"', '"a"'] }, 'proceed'],
  ])('If-Match: %s (RFC 9110 §13.1.1)', (_what, headers, outcome) => {
    expect(evaluate(headers)).toBe(outcome)
    expect(evaluate(headers, 'PUT')).toBe(outcome)
  })

  it('If-Match: a weak current tag never matches (RFC 9110 §13.1.1)', () => {
    const weak = { ...current, etag: 'W/"a"' }
    expect(evaluate({ 'if-match': 'W/"a"' }, 'GET', weak)).toBe('precondition-failed')
    expect(evaluate({ 'if-match': '"a"' }, 'GET', weak)).toBe('precondition-failed')
    expect(evaluate({ 'if-match': '*' }, 'GET', weak)).toBe('proceed')
  })

  it.each<Row>([
    ['the date of the last modification holds', { 'if-unmodified-since': AT }, 'proceed'],
    ['a later date holds', { 'if-unmodified-since': AFTER }, 'proceed'],
    ['an earlier date fails', { 'if-unmodified-since': BEFORE }, 'precondition-failed'],
    [
      'a date in the RFC 850 form counts',
      { 'if-unmodified-since': 'Saturday, 31-May-25 00:00:00 GMT' },
      'precondition-failed',
    ],
    ['a malformed date is ignored', { 'if-unmodified-since': '2025-05-31' }, 'proceed'],
  ])('If-Unmodified-Since: %s (RFC 9110 §13.1.4)', (_what, headers, outcome) => {
    expect(evaluate(headers)).toBe(outcome)
    expect(evaluate(headers, 'DELETE')).toBe(outcome)
  })

  it.each<Row>([
    ['the current tag', { 'if-none-match': '"a"' }, 'not-modified'],
    ['the weak form of the tag: weak comparison', { 'if-none-match': 'W/"a"' }, 'not-modified'],
    ['a list with the tag', { 'if-none-match': '"x,y", W/"a"' }, 'not-modified'],
    ['a list on two lines', { 'if-none-match': ['"x"', '"a"'] }, 'not-modified'],
    ['an asterisk', { 'if-none-match': '*' }, 'not-modified'],
    ['another tag', { 'if-none-match': '"x"' }, 'proceed'],
    ['a quoted asterisk', { 'if-none-match': '"*"' }, 'proceed'],
    ['a malformed value', { 'if-none-match': '"a' }, 'proceed'],
    ['a list without its comma', { 'if-none-match': '"x" "a"' }, 'proceed'],
  ])('If-None-Match: %s (RFC 9110 §13.1.2)', (_what, headers, outcome) => {
    expect(evaluate(headers)).toBe(outcome)
    expect(evaluate(headers, 'HEAD')).toBe(outcome)
    expect(evaluate(headers, 'PUT')).toBe(outcome === 'proceed' ? 'proceed' : 'precondition-failed')
  })

  it.each<Row>([
    ['the date of the last modification', { 'if-modified-since': AT }, 'not-modified'],
    ['a later date', { 'if-modified-since': AFTER }, 'not-modified'],
    ['an earlier date', { 'if-modified-since': BEFORE }, 'proceed'],
    ['a date in asctime', { 'if-modified-since': 'Sun Jun  1 00:00:00 2025' }, 'not-modified'],
    ['a date that only Date.parse reads', { 'if-modified-since': '2025-06-02' }, 'proceed'],
    ['a date on two lines', { 'if-modified-since': [AT, AT] }, 'proceed'],
  ])('If-Modified-Since: %s (RFC 9110 §13.1.3)', (_what, headers, outcome) => {
    expect(evaluate(headers)).toBe(outcome)
    expect(evaluate(headers, 'HEAD')).toBe(outcome)
    expect(evaluate(headers, 'PUT')).toBe('proceed')
  })
})

describe('evaluatePreconditions with a year of two digits: RFC 9110 §5.6.7', () => {
  const field = 'Saturday, 01-Jan-50 00:00:00 GMT'
  const about = { size: 10, lastModified: Date.parse('1990-01-01T00:00:00Z') }

  it.each<[string, string, PreconditionOutcome, PreconditionOutcome]>([
    ['1950', '1999-06-15T12:00:00Z', 'proceed', 'precondition-failed'],
    ['2050', '2000-06-15T12:00:00Z', 'not-modified', 'proceed'],
  ])('reads it as %s at %s', (_year, at, modifiedSince, unmodifiedSince) => {
    const outcomes = ['if-modified-since', 'if-unmodified-since'].map((name) =>
      evaluatePreconditions({ method: 'GET', headers: { [name]: field } }, about, Date.parse(at)),
    )
    expect(outcomes).toEqual([modifiedSince, unmodifiedSince])
  })
})

describe('evaluatePreconditions, several fields: RFC 9110 §13.2.2', () => {
  it.each<Row>([
    [
      'If-Match that holds silences If-Unmodified-Since',
      { 'if-match': '"a"', 'if-unmodified-since': BEFORE },
      'proceed',
    ],
    [
      'If-Match that fails wins over If-Unmodified-Since',
      { 'if-match': '"x"', 'if-unmodified-since': AT },
      'precondition-failed',
    ],
    [
      'If-Match that fails wins over If-None-Match',
      { 'if-match': '"x"', 'if-none-match': '"a"' },
      'precondition-failed',
    ],
    [
      'If-Match that holds goes on to If-None-Match',
      { 'if-match': '"a"', 'if-none-match': '"a"' },
      'not-modified',
    ],
    [
      'If-Unmodified-Since that fails wins over If-None-Match',
      { 'if-unmodified-since': BEFORE, 'if-none-match': '"a"' },
      'precondition-failed',
    ],
    [
      'If-Unmodified-Since that holds goes on to If-None-Match',
      { 'if-unmodified-since': AT, 'if-none-match': '"a"' },
      'not-modified',
    ],
    [
      'If-Unmodified-Since that holds goes on to If-Modified-Since',
      { 'if-unmodified-since': AT, 'if-modified-since': AT },
      'not-modified',
    ],
    [
      'If-None-Match that differs silences If-Modified-Since',
      { 'if-none-match': '"x"', 'if-modified-since': AT },
      'proceed',
    ],
    [
      'If-None-Match that is malformed silences If-Modified-Since',
      { 'if-none-match': 'x', 'if-modified-since': AT },
      'proceed',
    ],
    [
      'If-None-Match that matches wins over If-Modified-Since',
      { 'if-none-match': '"a"', 'if-modified-since': BEFORE },
      'not-modified',
    ],
  ])('%s', (_what, headers, outcome) => {
    expect(evaluate(headers)).toBe(outcome)
  })

  it.each(['OPTIONS', 'TRACE', 'CONNECT'])('ignores all of them for %s (§13.2.1)', (method) => {
    expect(evaluate({ 'if-match': '"x"' }, method)).toBe('proceed')
    expect(evaluate({ 'if-unmodified-since': BEFORE }, method)).toBe('proceed')
    expect(evaluate({ 'if-none-match': '*' }, method)).toBe('proceed')
  })

  it.each(['PUT', 'POST', 'PATCH', 'DELETE'])('fails a matching If-None-Match of %s', (method) => {
    expect(evaluate({ 'if-none-match': '"a"' }, method)).toBe('precondition-failed')
    expect(evaluate({ 'if-none-match': '*' }, method)).toBe('precondition-failed')
  })
})

describe('evaluatePreconditions without all validators', () => {
  it.each<Row>([
    ['If-Match: * fails', { 'if-match': '*' }, 'precondition-failed'],
    ['If-Match with a tag fails', { 'if-match': '"a"' }, 'precondition-failed'],
    ['If-None-Match: * holds', { 'if-none-match': '*' }, 'proceed'],
    ['If-None-Match with a tag holds', { 'if-none-match': '"a"' }, 'proceed'],
    ['If-Unmodified-Since is ignored', { 'if-unmodified-since': BEFORE }, 'proceed'],
    ['If-Modified-Since is ignored', { 'if-modified-since': AFTER }, 'proceed'],
  ])('where no representation exists, %s', (_what, headers, outcome) => {
    expect(evaluate(headers, 'PUT', null)).toBe(outcome)
    expect(evaluate(headers, 'GET', null)).toBe(outcome)
  })

  it.each<Row>([
    ['If-Match: * holds', { 'if-match': '*' }, 'proceed'],
    ['If-Match with a tag fails', { 'if-match': '"a"' }, 'precondition-failed'],
    ['If-None-Match: * matches', { 'if-none-match': '*' }, 'not-modified'],
    ['If-None-Match with a tag holds', { 'if-none-match': '"a"' }, 'proceed'],
    ['If-Unmodified-Since is ignored', { 'if-unmodified-since': BEFORE }, 'proceed'],
    ['If-Modified-Since is ignored', { 'if-modified-since': AFTER }, 'proceed'],
  ])('where the representation has neither tag nor date, %s', (_what, headers, outcome) => {
    expect(evaluate(headers, 'GET', { size: 10 })).toBe(outcome)
  })

  it('takes a current tag without quotes for none', () => {
    expect(evaluate({ 'if-none-match': 'a' }, 'GET', { size: 10, etag: 'a' })).toBe('proceed')
  })

  it('takes a modification date that is no number for none', () => {
    expect(evaluate({ 'if-modified-since': AFTER }, 'GET', { size: 10, lastModified: Number.NaN })).toBe(
      'proceed',
    )
  })

  it('takes a modification in the future for one of now (RFC 9110 §8.8.2.1)', () => {
    const future = { size: 10, lastModified: NOW + 86_400_000 }
    expect(evaluate({ 'if-modified-since': formatHttpDate(NOW) }, 'GET', future)).toBe('not-modified')
    expect(evaluate({ 'if-modified-since': formatHttpDate(NOW - 1000) }, 'GET', future)).toBe('proceed')
  })

  it('uses the time of the clock by default', () => {
    const future = { size: 10, lastModified: Date.now() + 86_400_000 }
    const evaluateByClock = (ms: number) => {
      const headers = { 'if-modified-since': formatHttpDate(Date.now() + ms) }
      return evaluatePreconditions({ method: 'GET', headers }, future)
    }
    expect([-60_000, 60_000].map(evaluateByClock)).toEqual(['proceed', 'not-modified'])
  })
})
