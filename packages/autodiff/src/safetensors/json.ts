/**
 * A JSON value with what `JSON.parse` hides: a repeated key is an error, numbers keep their spelling and objects are
 * maps, so that no key means anything to JavaScript.
 */
export type Json = string | boolean | null | JsonNumber | Json[] | Map<string, Json>

/** A number as it is written. */
export interface JsonNumber {
  readonly literal: string
}

/**
 * Parses one JSON value with nothing but white space around it.
 * @throws Error saying what is wrong at which character.
 */
export function parseJson(text: string): Json {
  const parser = new Parser(text)
  const value = parser.value(0)
  parser.end()
  return value
}

/** Nesting beyond this serves no header and would cost stack. */
const maximumDepth = 16
const maximumLiteral = 400
const numberSyntax = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const words: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
])

class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(depth: number): Json {
    if (depth > maximumDepth) throw this.#error(`nesting is deeper than ${maximumDepth}`)
    switch (this.#peek()) {
      case '{':
        return this.#object(depth)
      case '[':
        return this.#array(depth)
      case '"':
        return this.#string()
      default:
        return this.#scalar()
    }
  }

  end(): void {
    if (this.#peek() !== '') throw this.#error('expected nothing more')
  }

  #object(depth: number): Map<string, Json> {
    const members = new Map<string, Json>()
    this.#at++
    if (this.#take('}')) return members
    do {
      if (this.#peek() !== '"') throw this.#error('expected a key')
      const key = this.#string()
      if (members.has(key)) throw this.#error(`the key ${JSON.stringify(key.slice(0, 100))} is repeated`)
      if (!this.#take(':')) throw this.#error("expected ':'")
      members.set(key, this.value(depth + 1))
    } while (this.#take(','))
    if (!this.#take('}')) throw this.#error("expected ',' or '}'")
    return members
  }

  #array(depth: number): Json[] {
    const items: Json[] = []
    this.#at++
    if (this.#take(']')) return items
    do items.push(this.value(depth + 1))
    while (this.#take(','))
    if (!this.#take(']')) throw this.#error("expected ',' or ']'")
    return items
  }

  #string(): string {
    const start = this.#at++
    let escaped = false
    for (let code = 0; code !== 0x22; this.#at++) {
      code = this.#text.charCodeAt(this.#at)
      if (Number.isNaN(code)) throw this.#error('a string does not end')
      if (code < 0x20) throw this.#error('a string has a control character')
      if (code === 0x5c) {
        escaped = true
        this.#at++
      }
    }
    const literal = this.#text.slice(start, this.#at)
    const value = escaped ? this.#unescape(literal) : literal.slice(1, -1)
    if (/\p{Surrogate}/u.test(value)) throw this.#error('a string has half of a surrogate pair')
    return value
  }

  #unescape(literal: string): string {
    try {
      return String(JSON.parse(literal))
    } catch {
      throw this.#error('a string has an invalid escape')
    }
  }

  #scalar(): Json {
    const start = this.#at
    while (this.#at - start < maximumLiteral && /[-+.\w]/.test(this.#text.charAt(this.#at))) this.#at++
    const literal = this.#text.slice(start, this.#at)
    const word = words.get(literal)
    if (word !== undefined) return word
    if (numberSyntax.test(literal)) return { literal }
    this.#at = start
    throw this.#error('expected a value')
  }

  /** The next character that is not white space, '' at the end. */
  #peek(): string {
    while (' \t\n\r'.includes(this.#text.charAt(this.#at)) && this.#at < this.#text.length) this.#at++
    return this.#text.charAt(this.#at)
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false
    this.#at++
    return true
  }

  #error(problem: string): Error {
    return new Error(`${problem} at character ${this.#at}`)
  }
}
