import type { Act, Command, Mode } from '../generated/types.generated.ts';

/** The fields of a Command that kills its process alone, for ever, and needs no approval. */
export const PROCESS_ONLY = {
  act: 'kill',
  ask: 'mode',
  reach: 'process',
  parameters: {},
  until: 0,
  approvals: [],
} as const;

/** What a command asks for: recorded only, carried out, or planned. */
export type Asked = Mode | 'plan';

type Order = Pick<Command, 'action' | 'mode' | 'act' | 'ask'>;

/**
 * Returns the fields that say what a command asks for. Readers up to 0.2.0 know kills alone: for them everything else
 * is a kill that is only observed, which they never carry out.
 */
export function orderFields(act: Act, asked: Asked): Order {
  if (asked === 'observe' || (act === 'kill' && asked === 'enforce'))
    return { action: 'kill', mode: asked, act, ask: 'mode' };
  return { action: 'kill', mode: 'observe', act, ask: asked };
}

export const askedOf = ({ mode, ask }: Pick<Command, 'mode' | 'ask'>): Asked => (ask === 'mode' ? mode : ask);
