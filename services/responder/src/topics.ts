import { TOPIC } from '@ringfence/wire';

/** Input of the consumer group. A host's alerts, commands and answers have the same partition. */
export const RESPONDER_TOPICS: readonly string[] = [TOPIC.alerts, TOPIC.incidents, TOPIC.commands, TOPIC.answers];
