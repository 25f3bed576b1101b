import { TOPIC } from '@ringfence/schema';

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
