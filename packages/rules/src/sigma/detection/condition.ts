import { Fault } from '../../diagnostics/errors.ts';
import { LIMITS } from '../../model/limits.ts';

/** A condition of a Sigma rule as written. `at` is an offset in its text. */
export type SigmaCondition =
  | { readonly kind: 'and' | 'or'; readonly items: readonly SigmaCondition[] }
  | { readonly kind: 'not'; readonly item: SigmaCondition }
  | { readonly kind: 'selection'; readonly name: string; readonly at: number }
  /** `1 of selection_*`, `all of them`. */
  | { readonly kind: 'of'; readonly all: boolean; readonly pattern: string; readonly at: number };

interface Token {
  readonly text: string;
  readonly at: number;
}

/** @throws Fault whose `at` is an offset in the text */
export function parseSigmaCondition(text: string): SigmaCondition {
  if (text.length > LIMITS.conditionLength) {
    const message = `the condition has ${text.length} characters; ${LIMITS.conditionLength} are allowed`;
    throw new Fault('too-long', 0, message, 'Split the rule.');
  }
  const parser = new Parser(
    [...text.matchAll(/[()|]|[^\s()|]+/g)].map((match) => ({ text: match[0], at: match.index })),
    text.length,
  );
  return parser.whole();
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #end: number;
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], end: number) {
    this.#tokens = tokens;
    this.#end = end;
  }

  whole(): SigmaCondition {
    const condition = this.#junction('or');
    const rest = this.#tokens[this.#next];
    if (rest === undefined) return condition;
    if (rest.text === '|') {
      const hint =
        "Write a second document with 'correlation:' (event_count, value_count, temporal) that refers to this rule.";
      throw new Fault('aggregation', rest.at, 'aggregations in conditions belong to an old version of Sigma', hint);
    }
    throw new Fault('syntax', rest.at, `expected 'and', 'or' or the end, found '${rest.text}'`);
  }

  #junction(kind: 'or' | 'and'): SigmaCondition {
    const item = (): SigmaCondition => (kind === 'or' ? this.#junction('and') : this.#negation());
    const items = [item()];
    while (this.#takes(kind)) items.push(item());
    return items.length === 1 ? items[0]! : { kind, items };
  }

  #negation(): SigmaCondition {
    const at = this.#tokens[this.#next]?.at ?? this.#end;
    if (!this.#takes('not')) return this.#primary();
    return this.#deeper(at, () => ({ kind: 'not', item: this.#negation() }));
  }

  #primary(): SigmaCondition {
    const token = this.#token();
    if (token.text === '(') {
      return this.#deeper(token.at, () => {
        const inner = this.#junction('or');
        if (this.#takes(')')) return inner;
        throw new Fault('syntax', this.#tokens[this.#next]?.at ?? this.#end, "expected ')'");
      });
    }
    if (/^(?:[)|]|and|or|of)$/i.test(token.text))
      throw new Fault('syntax', token.at, `expected a selection, found '${token.text}'`);
    if (!this.#takes('of')) return { kind: 'selection', name: token.text, at: token.at };
    if (!/^(?:1|any|all)$/i.test(token.text))
      throw new Fault('syntax', token.at, `'${token.text} of' is not known`, "Write '1 of', 'any of' or 'all of'.");
    return { kind: 'of', all: /^all$/i.test(token.text), pattern: this.#token().text, at: token.at };
  }

  #deeper(at: number, inner: () => SigmaCondition): SigmaCondition {
    if (++this.#depth > LIMITS.depth) throw new Fault('too-deep', at, `more than ${LIMITS.depth} nested levels`);
    const condition = inner();
    this.#depth--;
    return condition;
  }

  #takes(word: string): boolean {
    if (this.#tokens[this.#next]?.text.toLowerCase() !== word) return false;
    this.#next++;
    return true;
  }

  #token(): Token {
    const token = this.#tokens[this.#next++];
    if (token === undefined) throw new Fault('syntax', this.#end, 'the condition ends too early');
    return token;
  }
}
