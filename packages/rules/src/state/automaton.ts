import type { Hit } from './hits.ts';
import type { Link } from './links.ts';
import type { Partials } from './partials.ts';
import type { Windows } from './windows.ts';

/** How a sequence goes on with an event. */
export interface Automaton {
  readonly partials: Partials;
  /** steps that must happen */
  readonly stages: number;
  readonly maxspanUs: number;
  /** What has reached the last step still waits for something that must not come. */
  readonly waits: boolean;
  /** bits of the steps with which something begins or is kept from it: what the others had without it is of no use */
  readonly begins: number;
  /**
   * Takes an event into account in the partial at a place; `windows` has it already. What counts as told is what had been told when the event came, so
   * going through the same events anew comes to the same; but nothing that is told by now completes another sequence.
   * @returns what it completes, to be released; 0: nothing
   */
  take(at: number, hit: Hit, windows: Windows): Link;
}
