/** Reads a pipeline of Logstash, as far as ours goes: sections, plugins, settings, and conditions with one operator. */

export type Setting = string | readonly string[] | ReadonlyMap<string, string | readonly string[]>;

export interface Plugin {
  readonly name: string;
  readonly settings: ReadonlyMap<string, Setting>;
}

/** A condition on a field; without an operator, that the field is there. */
export interface Condition {
  readonly negated: boolean;
  readonly field: string;
  readonly operator: '' | '==' | '=~' | 'in';
  readonly values: readonly string[];
}

/** The arms of an if; the one of `else` has no condition. */
export interface Choice {
  readonly arms: readonly { readonly condition: Condition | null; readonly body: readonly Statement[] }[];
}

export type Statement = Plugin | Choice;

const TOKEN = /\s+|#.*|("[^"]*"|\/(?:\\.|[^/\\])+\/|=>|=~|==|[!{}[\],]|[@\w.]+)/y;
const OPERATORS: ReadonlySet<string> = new Set(['==', '=~', 'in']);

/** Returns the statements of each section. Throws SyntaxError where the file is not of this form. */
export function parsePipeline(text: string): ReadonlyMap<string, readonly Statement[]> {
  const reader = new Reader(text);
  const sections = new Map<string, readonly Statement[]>();
  while (!reader.atEnd()) sections.set(reader.word(), reader.body());
  return sections;
}

class Reader {
  readonly #tokens: string[] = [];
  #at = 0;

  constructor(text: string) {
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < text.length) {
      const start = TOKEN.lastIndex;
      const match = TOKEN.exec(text);
      if (match === null) throw new SyntaxError(`no token at ${JSON.stringify(text.slice(start, start + 40))}`);
      if (match[1] !== undefined) this.#tokens.push(match[1]);
    }
  }

  atEnd = (): boolean => this.#at === this.#tokens.length;
  #is = (token: string): boolean => this.#tokens[this.#at] === token;
  #next = (): string => this.#tokens[this.#at++] ?? this.#fail('more');

  #fail(wanted: string): never {
    throw new SyntaxError(
      `wanted ${wanted} after ${this.#tokens.slice(Math.max(0, this.#at - 8), this.#at).join(' ')}`,
    );
  }

  #expect(token: string): void {
    if (this.#next() !== token) this.#fail(token);
  }

  word(): string {
    const token = this.#next();
    return /^[@\w.]+$/.test(token) ? token : this.#fail('a word');
  }

  body(): Statement[] {
    const statements: Statement[] = [];
    this.#expect('{');
    while (!this.#is('}')) statements.push(this.#is('if') ? this.#choice() : this.#plugin());
    this.#expect('}');
    return statements;
  }

  #plugin(): Plugin {
    const name = this.word();
    const settings = new Map<string, Setting>();
    this.#expect('{');
    while (!this.#is('}')) {
      const key = this.word();
      this.#expect('=>');
      if (settings.has(key)) this.#fail(`one ${key}`);
      settings.set(key, this.#is('{') ? this.#hash() : this.#scalar());
    }
    this.#expect('}');
    return { name, settings };
  }

  #hash(): ReadonlyMap<string, string | readonly string[]> {
    const entries = new Map<string, string | readonly string[]>();
    this.#expect('{');
    while (!this.#is('}')) {
      const key = this.#text();
      this.#expect('=>');
      entries.set(key, this.#scalar());
    }
    this.#expect('}');
    return entries;
  }

  #scalar(): string | readonly string[] {
    if (!this.#is('[')) return this.#text();
    const items: string[] = [];
    this.#expect('[');
    while (!this.#is(']')) {
      if (items.length > 0) this.#expect(',');
      items.push(this.#text());
    }
    this.#expect(']');
    return items;
  }

  #text(): string {
    const token = this.#next();
    return /^["/]/.test(token) ? token.slice(1, -1) : /^\w/.test(token) ? token : this.#fail('a value');
  }

  #choice(): Choice {
    const arms: { condition: Condition | null; body: Statement[] }[] = [];
    do {
      if (arms.length > 0) this.#expect('else');
      const condition = this.#is('if') ? this.#condition() : null;
      arms.push({ condition, body: this.body() });
    } while (this.#is('else'));
    return { arms };
  }

  #condition(): Condition {
    this.#expect('if');
    const negated = this.#is('!');
    if (negated) this.#expect('!');
    let field = '';
    while (this.#is('[')) {
      this.#expect('[');
      field += `[${this.word()}]`;
      this.#expect(']');
    }
    const operator = OPERATORS.has(this.#tokens[this.#at] ?? '') ? (this.#next() as Condition['operator']) : '';
    const values = operator === '' ? [] : [this.#scalar()].flat();
    return { negated, field, operator, values };
  }
}
