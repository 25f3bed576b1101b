import type { PipelineParts } from './parts.ts';
import { type Effects, NO_EFFECTS, type Turn } from './turn.ts';

/** Carries out the effects of a step. This is the only place where steps affect each other. */
export function applyEffects(parts: PipelineParts, turn: Turn, effects: Effects): void {
  if (effects === NO_EFFECTS) return;
  const { publisher, takeJoin } = parts;
  const { edges = [], moves = [], joins = [], merges = [], feedback = [], incidents = [], touched = [] } = effects;
  for (const edge of edges) publisher.edge(turn, edge);
  for (const move of moves) {
    publisher.merged(turn, move.chain, move.into.chainId);
    applyEffects(parts, turn, takeJoin.handOver(turn, move));
  }
  for (const join of joins) publisher.join(turn, join);
  for (const merge of merges) {
    turn.touched.delete(merge.absorbed);
    turn.touched.add(merge.survivor);
    publisher.merged(turn, merge.absorbed, merge.survivor.id);
    applyEffects(parts, turn, takeJoin.carryOver(turn, merge));
  }
  for (const change of feedback) publisher.feedback(turn, change);
  for (const incident of incidents) publisher.incident(turn, incident);
  for (const chain of touched) if (turn.host.chains.get(chain.id) === chain) turn.touched.add(chain);
}
