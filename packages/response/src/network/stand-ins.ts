import { z } from 'zod';
import type { ActionKind, ActionOutcome } from '../action.ts';
import { ActionRefusedError } from '../errors.ts';
import { type SavedRules, savedRules } from './rules.ts';

/** An action that this kernel can't hold: each order is refused with the reason. */
export function refusingKind(name: string, reason: string): ActionKind<unknown, never, SavedRules> {
  const refuse = (): Promise<never> => Promise.reject(new ActionRefusedError('not-possible', reason));
  return { name, parameters: z.unknown(), inverse: savedRules, plan: refuse, apply: refuse, undo: refuse };
}

/** An action whose rules are no longer in the kernel, so that nothing is left to take back. */
export function goneKind(name: string): ActionKind<unknown, never, SavedRules> {
  const undo = async (): Promise<ActionOutcome> => ({ outcome: 'executed', reason: '', facts: {} });
  return { ...refusingKind(name, 'no agent runs'), undo };
}
