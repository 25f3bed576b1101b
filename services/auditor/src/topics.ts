import { TOPIC } from '@ringfence/wire';

/** The topics that the auditor stores. */
export const AUDITED_TOPICS: readonly string[] = [
  TOPIC.alerts,
  TOPIC.incidents,
  TOPIC.commands,
  TOPIC.results,
  TOPIC.enrolments,
  TOPIC.operator,
  TOPIC.dlq,
  TOPIC.events,
];
