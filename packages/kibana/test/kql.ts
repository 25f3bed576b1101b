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
  const tokens = tokensOf(text);
  const fields: string[] = [];
  let at = 0;
  const fail = (): never => {
    throw new SyntaxError(`KQL "${text}": token ${at + 1} is unexpected`);
  };
  const takeSign = (sign: string): boolean => {
    const token = tokens[at];
    if (token?.type !== 'sign' || token.text !== sign) return false;
    at++;
    return true;
  };
  const takeWord = (word: string): boolean => {
    const token = tokens[at];
    if (token?.type !== 'word' || token.text.toLowerCase() !== word) return false;
    at++;
    return true;
  };
  const either = (): object => {
    const parts = [both()];
    while (takeWord('or')) parts.push(both());
    return parts.length === 1 ? parts[0]! : { bool: { should: parts, minimum_should_match: 1 } };
  };
  const both = (): object => {
    const parts = [negated()];
    while (takeWord('and')) parts.push(negated());
    return parts.length === 1 ? parts[0]! : { bool: { filter: parts } };
  };
  const negated = (): object => (takeWord('not') ? { bool: { must_not: [negated()] } } : primary());
  const primary = (): object => {
    if (takeSign('(')) {
      const inner = either();
      return takeSign(')') ? inner : fail();
    }
    const field = tokens[at];
    if (field?.type !== 'word' || ['and', 'or', 'not'].includes(field.text.toLowerCase())) return fail();
    at++;
    const sign = tokens[at];
    const value = tokens[at + 1];
    if (sign?.type !== 'sign' || value === undefined || value.type === 'sign') return fail();
    at += 2;
    fields.push(field.text);
    if (sign.text !== ':') {
      const range = RANGES[sign.text];
      return range === undefined ? fail() : { range: { [field.text]: { [range]: value.text } } };
    }
    if (value.type === 'word' && value.text === '*') return { exists: { field: field.text } };
    return { match_phrase: { [field.text]: value.text } };
  };
  const query = either();
  return at === tokens.length ? { query, fields } : fail();
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
