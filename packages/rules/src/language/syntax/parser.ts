/**
 * Grammar of a condition:
 *
 *   or      = and { "or" and }
 *   and     = not { "and" not }
 *   not     = "not" not | "(" or ")" | test
 *   test    = operand [ [ "not" ] operator [ value | list ] ]      alone: a macro, or a field that is true or false
 *   operand = name [ "[" argument "]" ] | function "(" operand ")" | "concat(" part { "," part } ")"
 *           | "join(" text "," "(" part { "," part } ")" ")"
 *   part    = operand | 'text' | "text"
 *   list    = "(" value { "," value } ")" | "[" value { "," value } "]" | name of a list
 *   value   = bare word | 'text' | "text" | "val(" operand ")" | function "(" operand ")"
 */
import { didYouMean } from '../../diagnostics/diagnostics.ts';
import { Fault } from '../../diagnostics/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import { FUNCTIONS } from '../resolve/operand.ts';
import { type Escapes, Scanner, type Token } from './scanner.ts';
import {
  OPERATOR_SPELLINGS,
  OPERATORS,
  type OperandSyntax,
  type Operator,
  type Syntax,
  type TestSyntax,
  type ValueSyntax,
} from './syntax.ts';

const SYMBOL_OPERATORS: ReadonlySet<string> = new Set(['=', '==', '!=', '<', '<=', '>', '>=', '=~']);
const KEYWORDS: ReadonlySet<string> = new Set(['and', 'or', 'not']);

/** @throws Fault with the offset of the syntax error */
export function parseCondition(text: string, escapes?: Escapes): Syntax {
  checkLength(text);
  const parser = new Parser(new Scanner(text, escapes));
  const syntax = parser.or(0);
  parser.expectEnd();
  return syntax;
}

/** @throws Fault */
export function checkLength(text: string): void {
  if (text.length <= LIMITS.conditionLength) return;
  throw new Fault(
    'too-long',
    0,
    `the condition has ${text.length} characters; ${LIMITS.conditionLength} are allowed`,
    'Move values to lists and parts to macros.',
  );
}

/** Parses a field as outputs and thresholds name it: `process.name`, `container.label[app]`. @throws Fault */
export function parseOperand(text: string): OperandSyntax {
  const parser = new Parser(new Scanner(text));
  const operand = parser.operand(0);
  parser.expectEnd();
  return operand;
}

export class Parser {
  readonly #scanner: Scanner;

  constructor(scanner: Scanner) {
    this.#scanner = scanner;
  }

  or(depth: number): Syntax {
    return this.#chain('or', depth, (d) => this.#chain('and', d, (inner) => this.#not(inner)));
  }

  expectEnd(): void {
    const token = this.#scanner.peek();
    if (token.kind === 'end') return;
    if (token.text === ')')
      throw new Fault('syntax', token.at, "this ')' closes nothing", 'Remove it, or add the missing one before it.');
    const otherwise =
      token.text === '[' ? 'Quote a value that has brackets in it.' : "Join two parts with 'and' or 'or'.";
    const hint = didYouMean(token.text, ['and', 'or', 'not'], otherwise);
    throw new Fault('syntax', token.at, `expected 'and', 'or' or the end, found '${token.text}'`, hint);
  }

  operand(depth: number): OperandSyntax {
    const token = this.#scanner.next();
    if (token.kind !== 'word')
      throw new Fault(
        'syntax',
        token.at,
        `expected a field, ${found(token)}`,
        'A comparison starts with a field, as in process.name = bash.',
      );
    if (depth > LIMITS.depth) throw tooDeep(token.at);
    if (this.#scanner.peek().text === '(') return this.#call(token, depth);
    return { name: token.text, argument: this.#scanner.argument(), functions: [], at: token.at };
  }

  #call(name: Token, depth: number): OperandSyntax {
    this.#scanner.next();
    if (name.text === 'concat' || name.text === 'join') return this.#joined(name, depth);
    const inner = this.operand(depth + 1);
    this.#close(')', name.at);
    return { ...inner, functions: [name.text, ...inner.functions], at: name.at };
  }

  /** Parses the part behind "concat(" or "join(". */
  #joined(name: Token, depth: number): OperandSyntax {
    const isJoin = name.text === 'join';
    const separator = isJoin ? this.#scanner.next() : undefined;
    if (separator !== undefined && separator.kind !== 'string')
      throw new Fault('syntax', separator.at, `expected quoted text, ${found(separator)}`, "Write join(', ', (a, b)).");
    if (isJoin) {
      this.#close(',', name.at);
      this.#close('(', name.at);
    }
    const parts: (OperandSyntax | string)[] = [];
    do {
      const quoted = this.#scanner.peek().kind === 'string';
      parts.push(quoted ? this.#scanner.next().text : this.operand(depth + 1));
    } while (this.#took(','));
    if (isJoin) this.#close(')', name.at);
    this.#close(')', name.at);
    const joined = { parts, separator: separator?.text ?? '' };
    return { name: name.text, argument: undefined, functions: [], joined, at: name.at };
  }

  #took(symbol: string): boolean {
    const token = this.#scanner.peek();
    if (token.kind !== 'symbol' || token.text !== symbol) return false;
    this.#scanner.next();
    return true;
  }

  #chain(word: 'and' | 'or', depth: number, part: (depth: number) => Syntax): Syntax {
    const items = [part(depth)];
    while (isWord(this.#scanner.peek(), word)) {
      this.#scanner.next();
      items.push(part(depth));
    }
    return items.length === 1 ? items[0]! : { kind: word, items, at: items[0]!.at };
  }

  #not(depth: number): Syntax {
    const token = this.#scanner.peek();
    if (depth > LIMITS.depth) throw tooDeep(token.at);
    if (isWord(token, 'not')) {
      this.#scanner.next();
      return { kind: 'not', item: this.#not(depth + 1), at: token.at };
    }
    if (token.text === '(' && token.kind === 'symbol') {
      this.#scanner.next();
      const inner = this.or(depth + 1);
      this.#close(')', token.at);
      return inner;
    }
    return this.#test();
  }

  #test(): Syntax {
    const first = this.#scanner.peek();
    if (first.kind === 'word' && KEYWORDS.has(first.text.toLowerCase())) {
      throw new Fault(
        'syntax',
        first.at,
        `'${first.text}' has no comparison before it`,
        "Put a comparison on both sides of 'and' and 'or'.",
      );
    }
    const operand = this.operand(0);
    const token = this.#scanner.peek();
    if (isWord(token, 'not')) {
      this.#scanner.next();
      return this.#comparison(operand, true);
    }
    const ends =
      token.kind === 'end' || token.text === ')' || token.text === ']' || isWord(token, 'and') || isWord(token, 'or');
    return ends ? { kind: 'name', operand, at: operand.at } : this.#comparison(operand, false);
  }

  #comparison(operand: OperandSyntax, not: boolean): TestSyntax {
    const token = this.#scanner.next();
    const written = token.text.toLowerCase();
    const operator = written === '==' || written === '!=' ? '=' : written;
    if (!(OPERATORS as readonly string[]).includes(operator)) throw unknownOperator(token);
    const negated = (written === '!=') !== not;
    const next = this.#scanner.peek();
    const bracketed = next.kind === 'symbol' && (next.text === '(' || next.text === '[');
    const values = operator === 'exists' ? [] : bracketed ? this.#list(operator) : [this.#value()];
    return { kind: 'test', operand, operator: operator as Operator, negated, values, bracketed, at: operand.at };
  }

  #list(operator: string): ValueSyntax[] {
    const open = this.#scanner.next();
    const close = open.text === '(' ? ')' : ']';
    const values: ValueSyntax[] = [];
    while (this.#scanner.peek().text !== close || this.#scanner.peek().kind === 'string') {
      values.push(this.#value());
      const token = this.#scanner.peek();
      if (token.text === ',' && token.kind === 'symbol') this.#scanner.next();
      else if (token.text !== close || token.kind !== 'symbol') throw this.#badList(token, open, close);
    }
    this.#scanner.next();
    if (values.length > 1 && ['<', '<=', '>', '>='].includes(operator)) {
      throw new Fault('syntax', open.at, `'${operator}' compares with one value, not with a list`);
    }
    return values;
  }

  #badList(token: Token, open: Token, close: string): Fault {
    if (token.kind === 'end')
      return new Fault('syntax', open.at, `this '${open.text}' is never closed`, `Close the list with '${close}'.`);
    return new Fault(
      'syntax',
      token.at,
      `expected ',' or '${close}' in the list, ${found(token)}`,
      'Separate values with commas; quote a value that has spaces.',
    );
  }

  #value(): ValueSyntax {
    const token = this.#scanner.nextValue();
    if (token.kind === 'string') return { text: token.text, quoted: true, at: token.at };
    if (token.kind !== 'word')
      throw new Fault(
        'syntax',
        token.at,
        `expected a value, ${found(token)}`,
        "Write a word, a number or 'quoted text'.",
      );
    const called = this.#scanner.peek().text === '(' && (token.text === 'val' || isFunction(token.text));
    if (!called) return { text: token.text, quoted: false, at: token.at };
    if (token.text !== 'val') return { text: '', quoted: true, field: this.#call(token, 0), at: token.at };
    this.#scanner.next();
    const field = this.operand(0);
    this.#close(')', token.at);
    return { text: '', quoted: true, field, at: token.at };
  }

  #close(symbol: string, openedAt: number): void {
    const token = this.#scanner.next();
    if (token.text === symbol && token.kind === 'symbol') return;
    if (token.kind === 'end')
      throw new Fault(
        'syntax',
        openedAt,
        `a '${symbol}' is missing: the bracket here is never closed`,
        `Add '${symbol}'.`,
      );
    throw new Fault('syntax', token.at, `expected '${symbol}', ${found(token)}`, "Join two parts with 'and' or 'or'.");
  }
}

function isFunction(name: string): boolean {
  return name === 'concat' || name === 'join' || Object.hasOwn(FUNCTIONS, name);
}

export function isWord(token: Token, word: string): boolean {
  return token.kind === 'word' && token.text.toLowerCase() === word;
}

export function found(token: Token): string {
  return token.kind === 'end' ? 'but the condition ends here' : `found '${token.text}'`;
}

function tooDeep(at: number): Fault {
  return new Fault(
    'too-deep',
    at,
    `more than ${LIMITS.depth} nested levels`,
    'Flatten the condition, or move parts to macros.',
  );
}

function unknownOperator(token: Token): Fault {
  const word = token.text.toLowerCase();
  const spelled = Object.hasOwn(OPERATOR_SPELLINGS, word) ? OPERATOR_SPELLINGS[word] : undefined;
  const known = [...OPERATORS, '!=', 'and', 'or'];
  const hint =
    spelled === undefined
      ? didYouMean(token.text, known, `Operators: ${known.slice(0, -2).join(' ')}.`)
      : `Write '${spelled}'.`;
  if (token.kind === 'end')
    return new Fault('syntax', token.at, 'expected an operator, but the condition ends here', hint);
  const symbolic = SYMBOL_OPERATORS.has(token.text) || token.kind !== 'word';
  const message = symbolic ? `'${token.text}' is not allowed after a field` : `unknown operator '${token.text}'`;
  return new Fault('unknown-operator', token.at, message, hint);
}
