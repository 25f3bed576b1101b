import { planProbe } from './plan.ts';
import { ProbeProblem, type ProbeSpec, targetText } from './types.ts';

export interface ProbeCheck {
  readonly name: string;
  readonly target: string;
  /** file:line:column */
  readonly defined: string;
  /** in which it would be set: of a USDT probe, as often as it was compiled in */
  readonly places: number;
  /** why it could not be set; empty: it could */
  readonly problem: string;
}

/** Whether probes could be set on this host, without setting them: their files are there, have the functions, and so on. */
export const checkProbes = (specs: readonly ProbeSpec[], hostRoot: string): ProbeCheck[] =>
  specs.map((spec) => {
    const { name, defined } = spec;
    const facts = { name, target: targetText(spec), defined };
    try {
      return { ...facts, places: planProbe(spec, hostRoot).places.length, problem: '' };
    } catch (error) {
      if (!(error instanceof ProbeProblem)) throw error;
      return { ...facts, places: 0, problem: error.message };
    }
  });
