/** A comment, or the text of a string or of a piece of a template, with the line on which it begins. */
export interface SourceText {
  readonly kind: 'comment' | 'string' | 'title'
  readonly line: number
  readonly text: string
}

const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y
const QUOTED = /'((?:[^'\\\n]|\\[\s\S])*)'|"((?:[^"\\\n]|\\[\s\S])*)"/y
const PIECE = /((?:[^`\\$]|\\[\s\S]|\$(?!\{))*)(`|\$\{)/y
const REGULAR_EXPRESSION = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y
/** A slash after these begins a regular expression; after a value it divides. */
const BEFORE_EXPRESSION = /(?:^|[=(,:;!&|?{}[\n+>]|\b(?:return|case|typeof|in|of))\s*$/
/** The code before a title: the call of `it`, `test` or `describe`, also through `it.each(…)`. */
const BEFORE_TITLE =
  /(?:\b(?:it|test|describe|bench)(?:\.\w+)*|\b(?:it|test|describe)\.\w+\((?:[^()]|\([^()]*\))*\)|\btitle:)\s*\(?\s*$/

/**
 * Returns the comments and strings of a TypeScript or CSS file, in order. TypeScript 7 has no scanner to call, and a
 * search by line would mistake code for text.
 */
export function readTexts(source: string): SourceText[] {
  const reader = new Reader(source)
  while (reader.readNext()) {}
  return reader.texts
}

class Reader {
  readonly texts: SourceText[] = []
  readonly #source: string
  /** For each template that is open: the depth of braces at which its expression ends. */
  readonly #templates: number[] = []
  #depth = 0
  #at = 0

  constructor(source: string) {
    this.#source = source
  }

  /** Reads a comment, a string, a piece of a template or one character; returns `false` at the end of the source. */
  readNext(): boolean {
    const character = this.#source.charAt(this.#at)
    if (!this.#readComment() && !this.#readQuoted() && !this.#readTemplate(character))
      this.#readCode(character)
    return this.#at < this.#source.length
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#source)
    this.#at += match?.[0].length ?? 0
    return match
  }

  #add(kind: SourceText['kind'], start: number, text: string): void {
    if (text !== '') this.texts.push({ kind, line: this.#lineOf(start), text })
  }

  #lineOf(offset: number): number {
    return this.#source.slice(0, offset).split('\n').length
  }

  #kindOfString(start: number): 'title' | 'string' {
    return BEFORE_TITLE.test(this.#source.slice(Math.max(0, start - 400), start)) ? 'title' : 'string'
  }

  #readComment(): boolean {
    const start = this.#at
    const comment = this.#match(COMMENT)
    if (comment !== null) this.#add('comment', start, comment[0])
    return comment !== null
  }

  #readQuoted(): boolean {
    const start = this.#at
    const quoted = this.#match(QUOTED)
    if (quoted !== null) this.#add(this.#kindOfString(start), start, quoted[1] ?? quoted[2] ?? '')
    return quoted !== null
  }

  #readTemplate(character: string): boolean {
    const resumes = character === '}' && this.#templates.at(-1) === this.#depth
    if (character !== '`' && !resumes) return false
    const kind = resumes ? 'string' : this.#kindOfString(this.#at)
    if (resumes) this.#templates.pop()
    const start = ++this.#at
    const piece = this.#match(PIECE)
    if (piece === null) throw new Error(`Line ${this.#lineOf(start)}: the template has no end.`)
    this.#add(kind, start, piece[1] ?? '')
    if (piece[2] !== '`') this.#templates.push(this.#depth)
    return true
  }

  #readCode(character: string): void {
    const before = this.#source.slice(Math.max(0, this.#at - 20), this.#at)
    if (character === '/' && BEFORE_EXPRESSION.test(before) && this.#match(REGULAR_EXPRESSION) !== null)
      return
    if (character === '{') this.#depth++
    if (character === '}') this.#depth--
    this.#at++
  }
}
