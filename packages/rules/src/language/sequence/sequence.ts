/**
 * Grammar of a sequence; what is between brackets is a condition:
 *
 *   sequence = "sequence" [ "any" "order" ] { by | span } step { step } [ "until" step ]
 *   by       = "by" operand { "," operand }
 *   span     = "with" "maxspan" "=" duration
 *   step     = [ "!" ] "[" condition "]" { by | "with" "runs" "=" number | "as" $name }
 */
import { Fault } from '../../diagnostics/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import { durationOf } from '../syntax/duration.ts';
import { checkLength, found, isWord, Parser } from '../syntax/parser.ts';
import { Scanner, type Token } from '../syntax/scanner.ts';
import type { OperandSyntax, Syntax } from '../syntax/syntax.ts';

export interface SequenceSyntax {
  readonly ordered: boolean;
  readonly by: readonly OperandSyntax[];
  readonly maxspanUs: number;
  readonly steps: readonly StepSyntax[];
}

export interface StepSyntax {
  readonly kind: 'event' | 'missing' | 'until';
  readonly condition: Syntax;
  readonly by: readonly OperandSyntax[];
  readonly runs: number;
  /** Without the dollar sign; empty: the step has no name. */
  readonly name: string;
  readonly at: number;
}

const BEGINS = /^\s*sequence\s*(?:\[|\s(?:any|by|with)\s)/i;
const CAPTURE = /^\$[a-z_]\w{0,63}$/i;
const EXAMPLE = 'As in: sequence by process.entity_id with maxspan=30s [ … ] [ … ].';

export function isSequence(condition: string): boolean {
  return BEGINS.test(condition);
}

/** @throws Fault with the offset of the syntax error */
export function parseSequence(text: string): SequenceSyntax {
  checkLength(text);
  return new SequenceParser(text).sequence();
}

class SequenceParser {
  readonly #scanner: Scanner;
  readonly #conditions: Parser;

  constructor(text: string) {
    this.#scanner = new Scanner(text);
    this.#conditions = new Parser(this.#scanner);
  }

  sequence(): SequenceSyntax {
    const { at } = this.#scanner.next();
    const ordered = !this.#skip('any');
    if (!ordered) this.#expectWord('order', "Write 'sequence any order by …'.");
    let by: readonly OperandSyntax[] = [];
    let maxspanUs = 0;
    for (;;) {
      if (this.#skip('by')) by = this.#by();
      else if (this.#skip('with')) maxspanUs = this.#setting('maxspan', (token) => durationOf(token.text, token.at));
      else break;
    }
    if (maxspanUs === 0)
      throw new Fault('sequence', at, "a sequence needs 'with maxspan=…', the time it may take at most", EXAMPLE);
    const steps: StepSyntax[] = [];
    for (;;) {
      const token = this.#scanner.peek();
      if (token.kind === 'end') break;
      steps.push(this.#step());
      if (steps.length > LIMITS.sequenceSteps)
        throw new Fault('sequence', token.at, `more than ${LIMITS.sequenceSteps} steps`, 'Use two rules.');
    }
    return { ordered, by, maxspanUs, steps };
  }

  #step(): StepSyntax {
    const first = this.#scanner.peek();
    const until = this.#skip('until');
    const missing = !until && this.#symbol('!');
    if (!this.#symbol('[')) {
      const token = this.#scanner.peek();
      throw new Fault('syntax', token.at, `expected a step, ${found(token)}`, EXAMPLE);
    }
    const condition = this.#conditions.or(0);
    if (!this.#symbol(']')) throw this.#unclosed(first);
    let by: readonly OperandSyntax[] = [];
    let runs = 1;
    let name = '';
    for (;;) {
      if (this.#skip('by')) by = this.#by();
      else if (this.#skip('with')) runs = this.#setting('runs', runsOf);
      else if (this.#skip('as')) name = this.#name();
      else break;
    }
    return { kind: until ? 'until' : missing ? 'missing' : 'event', condition, by, runs, name, at: first.at };
  }

  #unclosed(open: Token): Fault {
    const token = this.#scanner.peek();
    if (token.kind === 'end')
      return new Fault('syntax', open.at, "this step is never closed with ']'", 'Write every step between [ and ].');
    const hint = isWord(token, 'where')
      ? "The kind of event is a comparison: write 'event.action = exec and …'."
      : "Join two parts with 'and' or 'or'.";
    return new Fault('syntax', token.at, `expected ']', ${found(token)}`, hint);
  }

  #by(): OperandSyntax[] {
    const operands = [this.#conditions.operand(0)];
    while (this.#symbol(',')) operands.push(this.#conditions.operand(0));
    if (operands.length <= LIMITS.keys) return operands;
    throw new Fault('sequence', operands[0]!.at, `'by' has ${operands.length} fields; ${LIMITS.keys} are allowed`);
  }

  #setting(name: string, read: (token: Token) => number): number {
    this.#expectWord(name, `Write 'with ${name}=…'.`);
    const equals = this.#scanner.next();
    if (equals.text !== '=')
      throw new Fault('syntax', equals.at, `expected '=', ${found(equals)}`, `Write 'with ${name}=…'.`);
    return read(this.#scanner.next());
  }

  #name(): string {
    const token = this.#scanner.next();
    if (CAPTURE.test(token.text)) return token.text.slice(1);
    throw new Fault(
      'syntax',
      token.at,
      `expected a name as $a, ${found(token)}`,
      'Write [ … ] as $a, and later $a.file.path.',
    );
  }

  #expectWord(word: string, hint: string): void {
    const token = this.#scanner.next();
    if (!isWord(token, word)) throw new Fault('syntax', token.at, `expected '${word}', ${found(token)}`, hint);
  }

  #skip(word: string): boolean {
    if (!isWord(this.#scanner.peek(), word)) return false;
    this.#scanner.next();
    return true;
  }

  #symbol(symbol: string): boolean {
    const token = this.#scanner.peek();
    if (token.kind !== 'symbol' || token.text !== symbol) return false;
    this.#scanner.next();
    return true;
  }
}

function runsOf(token: Token): number {
  const runs = /^\d{1,6}$/.test(token.text) ? Number(token.text) : 0;
  if (runs >= 1 && runs <= LIMITS.thresholdCount) return runs;
  throw new Fault(
    'sequence',
    token.at,
    `expected a number from 1 to ${LIMITS.thresholdCount}, ${found(token)}`,
    'Write with runs=3.',
  );
}
