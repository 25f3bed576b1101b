import type { CompiledRule, SequenceMatch } from '@ringfence/rules';
import type { EventView } from '@ringfence/wire';
import { applyEffects } from './effects.ts';
import { HandledEvent } from './graph/handled-event.ts';
import type { PipelineParts } from './parts.ts';
import { buildAlert } from './steps/build-alert.ts';
import { closeChain } from './steps/close-chains.ts';
import type { Turn } from './turn.ts';

/**
 * Called when a rule matches. `about`: the event that the alert is about, if it is not the current event but one that a
 * sequence remembered.
 */
export type Raise = (rule: CompiledRule<EventView>, sequence?: SequenceMatch, about?: EventView) => void;

/** Returns a function that raises an alert: it publishes the alert and adds it to a chain. */
export const raiseAlertIn =
  (parts: PipelineParts, turn: Turn): Raise =>
  (rule, sequence, about = parts.event.view) => {
    const { event, options, publisher, chains } = parts;
    const subject = about === event.view ? event : new HandledEvent(about, options.isAgent);
    const alert = buildAlert(rule, about, event.view, sequence);
    const { chain, merges, send, isNews, newKeys } = parts.addAlert.add(turn, alert, subject);
    applyEffects(parts, turn, { merges });
    if (send) publisher.alert(turn, alert, chain);
    if (send) parts.tracing.alert(alert, event.view.head, chain);
    if (isNews) applyEffects(parts, turn, parts.takeFeedback.reopen(turn, chain, alert.timestamp));
    if (isNews || !publisher.isShown(chain)) turn.touched.add(chain);
    if (isNews || newKeys.length > 0)
      applyEffects(parts, turn, parts.noteEdges.noteAlert(turn, chain, subject, newKeys));
    const surplus = chains.surplus(turn.host);
    if (surplus !== undefined) closeChain(turn, surplus, publisher);
  };
