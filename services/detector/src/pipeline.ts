import type { CompiledRule, SequenceMatch } from '@ringfence/rules';
import { type EventView, type Feedback, type Join, KIND, u64ToHex } from '@ringfence/wire';
import type { CompiledDetectorOptions } from './config.ts';
import type { Chains } from './graph/chains.ts';
import { HandledEvent } from './graph/handled-event.ts';
import type { DetectorStats } from './metrics.ts';
import type { Rules } from './rules.ts';
import { isNew, type Run } from './state/host.ts';
import { memoriesOf } from './state/memories.ts';
import type { AddAlert } from './steps/add-alert.ts';
import { buildAlert } from './steps/build-alert.ts';
import { closeChain, endedChains, staleChains } from './steps/close-chains.ts';
import type { NoteEdges } from './steps/note-edges.ts';
import type { NoteLinks } from './steps/note-links.ts';
import type { Publisher } from './steps/publish.ts';
import type { TakeFeedback } from './steps/take-feedback.ts';
import type { TakeJoin } from './steps/take-join.ts';
import type { TraceSteps } from './steps/trace.ts';
import { type Effects, NO_EFFECTS, type Turn } from './turn.ts';

export interface PipelineParts {
  readonly options: CompiledDetectorOptions;
  readonly stats: DetectorStats;
  readonly chains: Chains;
  readonly noteEdges: NoteEdges;
  readonly noteLinks: NoteLinks;
  readonly addAlert: AddAlert;
  readonly takeJoin: TakeJoin;
  readonly takeFeedback: TakeFeedback;
  readonly publisher: Publisher;
  readonly tracing: TraceSteps;
  /** One view for all events */
  readonly event: HandledEvent;
}

/** A record whose signature and bounds were checked. */
export type Checked = { readonly batch: Buffer } | { readonly join: Join } | { readonly feedback: Feedback };

/** The whole flow of one record: it changes the state of the turn's host, and fills the turn's outputs. */
export function handleRecord(parts: PipelineParts, rules: Rules, turn: Turn, record: Checked): void {
  if ('batch' in record)
    detectBatch(parts, rules, turn, record.batch); //         events → alerts → chains
  else if ('join' in record)
    applyEffects(parts, turn, parts.takeJoin.take(turn, record.join)); // chains of two hosts → one
  else applyEffects(parts, turn, parts.takeFeedback.take(turn, record.feedback)); //  people's verdicts → incidents
  const chains = [...turn.touched].sort((a, b) => a.ordinal - b.ordinal);
  for (const chain of chains) parts.publisher.show(turn, chain); //                chains with a high score → incidents
}

function detectBatch(parts: PipelineParts, rules: Rules, turn: Turn, bytes: Buffer): void {
  const { view } = parts.event;
  view.open(bytes);
  const run = turn.host.run(`${view.head.bootId}/${u64ToHex(view.head.run)}`);
  const raise: Raise = (rule, sequence, about) => raiseAlert(parts, turn, rule, sequence, about);
  while (view.next()) detectEvent(parts, rules, turn, run, raise);
  parts.stats.batches++;
}

type Raise = (rule: CompiledRule<EventView>, sequence?: SequenceMatch, about?: EventView) => void;

function detectEvent(parts: PipelineParts, rules: Rules, turn: Turn, run: Run, raise: Raise): void {
  const { event, stats } = parts;
  const { cursor } = event.view;
  const isFirstTime = isNew(run, cursor.lane, cursor.cpu, cursor.sequence, turn.host.tick);
  stats[isFirstTime ? 'events' : 'duplicates']++; //                               a redelivery has no second effect
  if (!isFirstTime) return;
  event.advance(); //                                                              its lineage is computed at most once
  applyEffects(parts, turn, parts.noteEdges.note(turn, event)); //                 connections that other hosts see too
  applyEffects(parts, turn, parts.noteLinks.note(turn, event)); //                 connections and copies of files here
  rules.matcher.match(event.view, raise, cursor.ktime); //                         rules → alerts
  if (cursor.kind === KIND.Tick) tick(parts, rules, turn, raise); //               rules that waited, chains that are over
}

/** `about`: the event that the alert is about, if it is not the one in hand, but one that a sequence remembered. */
function raiseAlert(
  parts: PipelineParts,
  turn: Turn,
  rule: CompiledRule<EventView>,
  sequence: SequenceMatch | undefined,
  about: EventView = parts.event.view,
): void {
  const { event, options, publisher } = parts;
  const subject = about === event.view ? event : new HandledEvent(about, options.isAgent);
  const alert = buildAlert(rule, about, event.view, sequence);
  const { chain, merges, send, isNews, newKeys } = parts.addAlert.add(turn, alert, subject); // links → its chain
  applyEffects(parts, turn, { merges }); //                                        chains that the alert brought together
  if (send) publisher.alert(turn, alert);
  if (send) parts.tracing.alert(alert, event.view.head, chain);
  if (isNews) applyEffects(parts, turn, parts.takeFeedback.reopen(turn, chain, alert.timestamp));
  if (isNews || !publisher.isShown(chain)) turn.touched.add(chain);
  if (isNews || newKeys.length > 0) applyEffects(parts, turn, parts.noteEdges.noteAlert(turn, chain, subject, newKeys));
  const surplus = parts.chains.surplus(turn.host);
  if (surplus !== undefined) closeChain(turn, surplus, publisher); //              a bound on the chains of a host
}

/** All timers run on ticks: a replay gives the same result. */
function tick({ event, options, publisher }: PipelineParts, rules: Rules, turn: Turn, raise: Raise): void {
  const { head, cursor } = event.view;
  turn.host.tick++;
  turn.host.ktime = cursor.ktime;
  memoriesOf(rules).tick(event.view, rules.rules, raise);
  const now = { bootId: head.bootId, ktime: cursor.ktime, wallOffset: head.wallOffset };
  for (const chain of endedChains(turn, now, options.chainIdleMs * 1000)) closeChain(turn, chain, publisher);
  for (const chain of staleChains(turn, publisher)) turn.touched.add(chain);
}

/** The one place where effects of steps are carried out. */
function applyEffects(parts: PipelineParts, turn: Turn, effects: Effects): void {
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
