import { Fault } from '../../diagnostics/errors.ts';

export interface Token {
  readonly kind: 'word' | 'string' | 'symbol' | 'end';
  readonly text: string;
  readonly at: number;
}

const SPACE = /\s*/y;
const WORD = /[^\s()[\],"'=!<>]+/y;
/** In a value, `=`, `!`, `<` and `>` are ordinary characters, and so are brackets inside a word: runc:[1:CHILD]. */
const VALUE_WORD = /[^\s()[\],"']+(?:\[[^\s[\]]*\][^\s()[\],"']*)*/y;
const SYMBOL = /[=!]=|<=|>=|=~|[()[\],=!<>]/y;

/** The meaning of a character after a backslash, in addition to \\ and an escaped quote. */
export type Escapes = Readonly<Record<string, string>>;

/**
 * Reads a condition token by token. The parser decides whether it expects a value, because bare values may contain
 * operator characters.
 */
export class Scanner {
  readonly text: string;
  readonly #escapes: Escapes;
  #at = 0;

  constructor(text: string, escapes: Escapes = {}) {
    this.text = text;
    this.#escapes = escapes;
  }

  peek(): Token {
    const before = this.#at;
    const token = this.next();
    this.#at = before;
    return token;
  }

  next(): Token {
    return this.#read(WORD);
  }

  nextValue(): Token {
    return this.#read(VALUE_WORD);
  }

  /** Reads text up to `]` if a `[` follows without a space; undefined otherwise. */
  argument(): string | undefined {
    if (this.text[this.#at] !== '[') return undefined;
    const end = this.text.indexOf(']', this.#at);
    if (end === -1)
      throw new Fault('syntax', this.#at, "this '[' is never closed", "Write the argument as in 'field[2]'.");
    const inside = this.text.slice(this.#at + 1, end).trim();
    this.#at = end + 1;
    return /^(?:"[^"]*"|'[^']*')$/.test(inside) ? inside.slice(1, -1) : inside;
  }

  #read(word: RegExp): Token {
    SPACE.lastIndex = this.#at;
    SPACE.test(this.text);
    const at = SPACE.lastIndex;
    this.#at = at;
    if (at >= this.text.length) return { kind: 'end', text: '', at };
    const first = this.text[at]!;
    if (first === '"' || first === "'") return this.#string(first, at);
    for (const [kind, pattern] of [
      ['word', word],
      ['symbol', SYMBOL],
    ] as const) {
      pattern.lastIndex = at;
      if (!pattern.test(this.text)) continue;
      this.#at = pattern.lastIndex;
      return { kind, text: this.text.slice(at, this.#at), at };
    }
    throw new Fault('syntax', at, `'${first}' is not allowed here`, 'Put text with special characters between quotes.');
  }

  /** A backslash keeps its meaning for regular expressions: only \\ and an escaped quote are replaced. */
  #string(quote: string, at: number): Token {
    let text = '';
    for (let i = at + 1; i < this.text.length; i++) {
      const char = this.text[i]!;
      if (char === quote) {
        this.#at = i + 1;
        return { kind: 'string', text, at };
      }
      const escaped = this.text[i + 1];
      const meant = char === '\\' && escaped !== undefined ? this.#escapes[escaped] : undefined;
      if (meant !== undefined) {
        text += meant;
        i++;
      } else if (char === '\\' && (escaped === '\\' || escaped === '"' || escaped === "'")) {
        text += escaped;
        i++;
      } else text += char;
    }
    throw new Fault(
      'syntax',
      at,
      `this ${quote} is never closed`,
      'Close the quoted text, or escape a quote inside it with a backslash.',
    );
  }
}
