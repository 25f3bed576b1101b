import type { EventRow, PartialRow } from './handles.ts';
import type { KeyStates } from './key-states.ts';
import type { RunWindows } from './run-windows.ts';

/** The transitions of a sequence: how an event changes the state of a key. */
export interface Automaton {
  readonly states: KeyStates;
  /** Number of steps that must happen. */
  readonly stages: number;
  readonly maxspanUs: number;
  /** A key that has reached the last step still waits until no forbidden event can come. */
  readonly waits: boolean;
  /** Bits of the steps that start a sequence or keep it from starting: a key without such an event is idle. */
  readonly begins: number;
  /**
   * Applies an event to the state at `at`; `windows` already contains the event. An earlier event counts as alerted
   * only if its alert was raised before this event came, so a replay of the same events yields the same state. An event
   * that is part of an alert by now never completes another sequence.
   * @returns the sequence that the event completes, for the caller to release; 0: none
   */
  take(at: number, event: EventRow, windows: RunWindows): PartialRow;
}
