import { planProbe } from './plan.ts';
import { ProbeProblem, type ProbeSpec, targetText } from './types.ts';

export interface ProbeCheck {
  readonly name: string;
  readonly target: string;
  /** file:line:column */
  readonly defined: string;
  /** number of places in which it would be set; a USDT probe may be compiled in several times */
  readonly places: number;
  /** why it could not be set; empty if it could */
  readonly problem: string;
}

/**
 * Checks whether the probes could be set on this host, without setting them: their files, functions and fields exist.
 */
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
