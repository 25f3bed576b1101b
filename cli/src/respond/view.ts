import type { Paint } from '@ringfence/base';
import type { Response } from '@ringfence/runtime/client';

/** Facts that have a place of their own, or that only a program reads. */
const HIDDEN = new Set(['targets', 'spared', 'message', 'start', 'boot', 'executable']);

/** Returns the lines for people: what was done to which process, and why not. */
export function responseLines(paint: Paint, responses: readonly Response[]): string[] {
  if (responses.length === 0) return ['nothing to act on'];
  return responses.flatMap((response) => linesOf(paint, response));
}

function linesOf(paint: Paint, { command, pid, executable, outcome, reason, facts, host }: Response): string[] {
  const isGood = ['executed', 'planned', 'gone'].includes(outcome);
  const about = pid === 0 ? `host ${host}` : `${executable || 'process'} (pid ${pid})`;
  const lines = [`${isGood ? paint.green(outcome) : paint.red(outcome)}  ${about}  ${paint.dim(command)}`];
  if (reason !== '') lines.push(`  ${reason}${facts['message'] === undefined ? '' : `: ${facts['message']}`}`);
  const counts = Object.entries(facts).filter(([name]) => !HIDDEN.has(name));
  if (counts.length > 0) lines.push(`  ${counts.map(([name, value]) => `${wordsOf(name)} ${value}`).join(', ')}`);
  for (const line of facts['spared']?.split('\n') ?? []) lines.push(`  spared ${line}`);
  // The result of a run has the numbers; a plan is what people read before they decide.
  if (outcome === 'planned') for (const line of facts['targets']?.split('\n') ?? []) lines.push(`  ${line}`);
  return lines;
}

const wordsOf = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
