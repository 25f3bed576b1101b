/** The meaning of a field in Falco's or Sigma's language, and its difference here. */
export interface Definition {
  /** Names that the definition is for, separated by spaces. */
  readonly fields: string;
  /** Meaning by the documentation of the language, in our words. */
  readonly there: string;
  /** Difference here; empty if there is none. */
  readonly differs: string;
}

type Row = readonly [fields: string, there: string, differs?: string];

export const define = (rows: readonly Row[]): readonly Definition[] =>
  rows.map(([fields, there, differs = '']) => ({ fields, there, differs }));
