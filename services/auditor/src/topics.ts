import { TOPIC } from '@ringfence/wire';

/** Everything that is evidence. */
export const AUDITED: readonly string[] = [
  TOPIC.alerts,
  TOPIC.incidents,
  TOPIC.commands,
  TOPIC.results,
  TOPIC.enrolments,
  TOPIC.dlq,
  TOPIC.events,
];
