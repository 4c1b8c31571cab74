import { FILE_SIZE, type Sample } from './file.ts'

export interface Answer {
  readonly status: number | undefined
  readonly contentRange: string | undefined
  readonly length: number
  /** The byte at either end of the body (none in an empty one). */
  readonly first: number | undefined
  readonly last: number | undefined
}

/** Says what an answer should have been, field by field. */
export type Expect = (sample: Sample) => Partial<Answer>

export function expectRange({ start, end, first, last }: Sample): Answer {
  const contentRange = `bytes ${start}-${end}/${FILE_SIZE}`
  return { status: 206, contentRange, length: end - start + 1, first, last }
}

export function expectByte(): Partial<Answer> {
  return { status: 200, length: 1 }
}

/** @throws Error naming the range and every field that is not as expected */
export function checkAnswer(answer: Answer, sample: Sample, expect: Expect): void {
  const faults = Object.entries(expect(sample)).flatMap(([name, expected]) => {
    const actual = answer[name as keyof Answer]
    return actual === expected ? [] : [`${name} is ${actual}, not ${expected}`]
  })
  if (faults.length > 0) {
    throw new Error(`bytes=${sample.start}-${sample.end} was answered wrongly: ${faults.join('; ')}`)
  }
}
