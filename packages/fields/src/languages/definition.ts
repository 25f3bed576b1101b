/** What a field of another language means in that language, in our words, and what is different here. */
export interface Definition {
  /** Names that the definition is for, separated by spaces. */
  readonly fields: string;
  /** What the language's own documentation says. */
  readonly there: string;
  /** What is different here; empty is the aim. */
  readonly differs: string;
}

type Row = readonly [fields: string, there: string, differs?: string];

export const define = (rows: readonly Row[]): readonly Definition[] =>
  rows.map(([fields, there, differs = '']) => ({ fields, there, differs }));
