/** The part of Kibana's query language that the dashboards use, as queries of Elasticsearch. */

const TOKEN = /\s*(?:(>=|<=|[():<>])|"((?:[^"\\]|\\.)*)"|([^\s():<>"]+))/y;
const RANGES: Readonly<Record<string, string>> = { '>=': 'gte', '<=': 'lte', '>': 'gt', '<': 'lt' };

type Token =
  | { readonly type: 'sign'; readonly text: string }
  | { readonly type: 'text' | 'word'; readonly text: string };

export interface ParsedKql {
  readonly query: object;
  readonly fields: readonly string[];
}

/** Throws SyntaxError, with the position, for anything else than `field : value`, ranges, and, or, not, parentheses. */
export function parseKql(text: string): ParsedKql {
  return new KqlParser(text).parse();
}

const joined = (parts: readonly object[], join: (parts: readonly object[]) => object): object =>
  parts.length === 1 ? { ...parts[0] } : join(parts);

class KqlParser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  readonly #fields: string[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokensOf(text);
  }

  parse(): ParsedKql {
    const query = this.#either();
    if (this.#at < this.#tokens.length) this.#fail();
    return { query, fields: this.#fields };
  }

  #either(): object {
    const parts = [this.#both()];
    while (this.#take('word', 'or')) parts.push(this.#both());
    return joined(parts, (should) => ({ bool: { should, minimum_should_match: 1 } }));
  }

  #both(): object {
    const parts = [this.#negated()];
    while (this.#take('word', 'and')) parts.push(this.#negated());
    return joined(parts, (filter) => ({ bool: { filter } }));
  }

  #negated(): object {
    return this.#take('word', 'not') ? { bool: { must_not: [this.#negated()] } } : this.#primary();
  }

  #primary(): object {
    if (!this.#take('sign', '(')) return this.#comparison();
    const inner = this.#either();
    if (!this.#take('sign', ')')) this.#fail();
    return inner;
  }

  #comparison(): object {
    const [field, sign, value] = this.#tokens.slice(this.#at, this.#at + 3);
    if (field?.type !== 'word' || ['and', 'or', 'not'].includes(field.text.toLowerCase())) return this.#fail();
    if (sign?.type !== 'sign' || value === undefined || value.type === 'sign') return this.#fail();
    this.#at += 3;
    this.#fields.push(field.text);
    const range = RANGES[sign.text];
    if (range !== undefined) return { range: { [field.text]: { [range]: value.text } } };
    if (sign.text !== ':') return this.#fail();
    const isAny = value.type === 'word' && value.text === '*';
    return isAny ? { exists: { field: field.text } } : { match_phrase: { [field.text]: value.text } };
  }

  #take(type: Token['type'], text: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.type !== type || token.text.toLowerCase() !== text) return false;
    this.#at++;
    return true;
  }

  #fail(): never {
    throw new SyntaxError(`KQL "${this.#text}": token ${this.#at + 1} is unexpected`);
  }
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw new SyntaxError(`KQL "${text}": cannot be read from character ${at + 1}`);
    const [, sign, quoted, word = ''] = match;
    if (sign !== undefined) tokens.push({ type: 'sign', text: sign });
    else if (quoted !== undefined) tokens.push({ type: 'text', text: quoted.replaceAll(/\\(.)/g, '$1') });
    else tokens.push({ type: 'word', text: word });
  }
  return tokens;
}
