import { TOPIC } from '@ringfence/wire';

/** Input of the consumer group. A host's alerts, commands, answers and runs of playbooks have the same partition. */
export const RESPONDER_TOPICS: readonly string[] = [
  TOPIC.alerts,
  TOPIC.incidents,
  TOPIC.commands,
  TOPIC.answers,
  TOPIC.runs,
];
