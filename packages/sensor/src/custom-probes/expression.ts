import { type Expression, ProbeProblem } from './types.ts';

const DEREFERENCES_MAX = 4;
const OFFSET_MAX = 1 << 24;
const LENGTH_MAX = 200;

/** Parses `arg0`, `arg1+8`, `*(arg0+16)`, `*(*(retval)+0x10)-4`. @throws ProbeProblem */
export function parseExpression(text: string): Expression {
  if (text.length > LENGTH_MAX)
    throw new ProbeProblem(`has ${text.length} characters; at most ${LENGTH_MAX} are allowed`);
  const tokens = text.match(/0x[0-9a-f]+|\w+|[^\s\w]/gi) ?? [];
  const parser = new Parser(tokens);
  const parsed = parser.expression();
  parser.end();
  return parsed;
}

class Parser {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  expression(): Expression {
    let { base, offsets, offset } = this.#start();
    for (let sign = this.#sign(); sign !== 0; sign = this.#sign()) offset += sign * this.#number();
    if (Math.abs(offset) > OFFSET_MAX) throw new ProbeProblem(`an offset may be at most ${OFFSET_MAX} bytes`);
    return { base, offsets, offset };
  }

  #start(): Expression {
    const token = this.#next('a name, or *(…)');
    if (token === '*') {
      this.#expect('(');
      const { base, offsets, offset } = this.expression();
      this.#expect(')');
      if (offsets.length >= DEREFERENCES_MAX)
        throw new ProbeProblem(`at most ${DEREFERENCES_MAX} addresses can be followed`);
      return { base, offsets: [...offsets, offset], offset: 0 };
    }
    if (!/^[a-z_]\w*$/i.test(token)) throw new ProbeProblem(`expected a name, or *(…); got ${token}`);
    return { base: token, offsets: [], offset: 0 };
  }

  #sign(): -1 | 0 | 1 {
    const token = this.#tokens[this.#at];
    if (token !== '+' && token !== '-') return 0;
    this.#at++;
    return token === '+' ? 1 : -1;
  }

  #number(): number {
    const token = this.#next('a number');
    if (!/^(0x[0-9a-f]{1,8}|\d{1,9})$/i.test(token)) throw new ProbeProblem(`expected a number; got ${token}`);
    return Number(token);
  }

  #next(expected: string): string {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new ProbeProblem(`expected ${expected} at the end`);
    return token;
  }

  #expect(token: string): void {
    const found = this.#next(token);
    if (found !== token) throw new ProbeProblem(`expected ${token}; got ${found}`);
  }

  end(): void {
    const rest = this.#tokens[this.#at];
    if (rest !== undefined) throw new ProbeProblem(`expected + or - or the end; got ${rest}`);
  }
}
