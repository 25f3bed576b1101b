import { TOPIC } from '@ringfence/wire';

/** What it reads, as one group: a host's records of all of them are in one partition. */
export const RESPONDER_TOPICS: readonly string[] = [
  TOPIC.alerts,
  TOPIC.incidents,
  TOPIC.hostIncidents,
  TOPIC.commands,
  TOPIC.answers,
];
