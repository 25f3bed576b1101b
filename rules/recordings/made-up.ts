/** Rules without a recording, and why their events are made up (test/). */
export const MADE_UP: Readonly<Record<string, string>> = {
  'Agent fell silent': 'is told by the enricher from what did not come, not by an agent',
  'Events were lost': 'is told by the enricher from what did not come, not by an agent',
};
