import { type Feedback, type Join, KIND, u64ToHex } from '@ringfence/wire';
import { applyEffects } from './effects.ts';
import type { PipelineParts } from './parts.ts';
import { type Raise, raiseAlertIn } from './raise-alert.ts';
import type { Rules } from './rules.ts';
import { isNew, type Run } from './state/host.ts';
import { memoriesOf } from './state/memories.ts';
import { closeChain, endedChains, staleChains } from './steps/close-chains.ts';
import type { Turn } from './turn.ts';

/** A record whose signature and bounds were checked. */
export type Checked = { readonly batch: Buffer } | { readonly join: Join } | { readonly feedback: Feedback };

/** The whole flow of one record: it changes the state of the turn's host, and fills the turn's outputs. */
export function handleRecord(parts: PipelineParts, rules: Rules, turn: Turn, record: Checked): void {
  if ('batch' in record) detectBatch(parts, rules, turn, record.batch);
  else if ('join' in record) applyEffects(parts, turn, parts.takeJoin.take(turn, record.join));
  else applyEffects(parts, turn, parts.takeFeedback.take(turn, record.feedback));
  const chains = [...turn.touched].sort((a, b) => a.ordinal - b.ordinal);
  for (const chain of chains) parts.publisher.show(turn, chain);
}

function detectBatch(parts: PipelineParts, rules: Rules, turn: Turn, bytes: Buffer): void {
  const { view } = parts.event;
  view.open(bytes);
  const run = turn.host.run(`${view.head.bootId}/${u64ToHex(view.head.run)}`);
  const raise = raiseAlertIn(parts, turn);
  while (view.next()) detectEvent(parts, rules, turn, run, raise);
  parts.stats.batches++;
}

function detectEvent(parts: PipelineParts, rules: Rules, turn: Turn, run: Run, raise: Raise): void {
  const { event, stats } = parts;
  const { cursor } = event.view;
  const isFirstTime = isNew(run, cursor.lane, cursor.cpu, cursor.sequence, turn.host.tick);
  stats[isFirstTime ? 'events' : 'duplicates']++;
  if (!isFirstTime) return;
  event.advance();
  applyEffects(parts, turn, parts.noteEdges.note(turn, event));
  applyEffects(parts, turn, parts.noteLinks.note(turn, event));
  rules.matcher.match(event.view, raise, cursor.ktime);
  if (cursor.kind === KIND.Tick) tick(parts, rules, turn, raise);
}

/** All timers run on ticks, so that a replay gives the same result. */
function tick({ event, options, publisher }: PipelineParts, rules: Rules, turn: Turn, raise: Raise): void {
  const { head, cursor } = event.view;
  turn.host.tick++;
  turn.host.ktime = cursor.ktime;
  memoriesOf(rules).tick(event.view, rules.rules, raise);
  const now = { bootId: head.bootId, ktime: cursor.ktime, wallOffset: head.wallOffset };
  for (const chain of endedChains(turn, now, options.chainIdleMs * 1000)) closeChain(turn, chain, publisher);
  for (const chain of staleChains(turn, publisher)) turn.touched.add(chain);
}
