import type { RecordName } from '../avro/schemas.ts';
import { RECORD_ON, TOPIC, type Topic } from './topics.ts';

/** Who speaks on the bus; in a fleet each has a certificate and an entry in the broker's access lists. */
export type Role = 'agent' | 'enricher' | 'detector' | 'responder' | 'auditor' | 'registrar';

export interface Access {
  readonly reads: readonly Topic[];
  readonly writes: readonly Topic[];
  /** its consumer groups and state stores have this name, or one that begins with it and a hyphen; null: it has none */
  readonly group: Role | null;
}

/** The least that each needs. `schemas` and `enrolments` tell a service how to read the others' records and whose signature is on them. */
export const ACCESS: Readonly<Record<Role, Access>> = {
  // An agent reads nothing: orders come down its control stream, and servers know the schemas of every released version.
  agent: { reads: [], writes: [TOPIC.raw, TOPIC.logsRaw], group: null },
  enricher: {
    reads: [TOPIC.raw, TOPIC.logsRaw, TOPIC.enrolments, TOPIC.schemas],
    writes: [TOPIC.events, TOPIC.dlq, TOPIC.schemas],
    group: 'enricher',
  },
  detector: {
    reads: [TOPIC.events, TOPIC.edges, TOPIC.joins, TOPIC.feedback, TOPIC.rarity, TOPIC.enrolments, TOPIC.schemas],
    writes: [
      TOPIC.alerts,
      TOPIC.incidents,
      TOPIC.edges,
      TOPIC.joins,
      TOPIC.rarity,
      TOPIC.interest,
      TOPIC.dlq,
      TOPIC.schemas,
    ],
    group: 'detector',
  },
  responder: {
    reads: [
      TOPIC.alerts,
      TOPIC.incidents,
      TOPIC.commands,
      TOPIC.results,
      TOPIC.answers,
      TOPIC.hostIncidents,
      TOPIC.interest,
      TOPIC.enrolments,
      TOPIC.schemas,
    ],
    writes: [
      TOPIC.commands,
      TOPIC.results,
      TOPIC.answers,
      TOPIC.hostIncidents,
      TOPIC.feedback,
      TOPIC.dlq,
      TOPIC.schemas,
    ],
    group: 'responder',
  },
  auditor: {
    reads: [
      TOPIC.events,
      TOPIC.alerts,
      TOPIC.incidents,
      TOPIC.commands,
      TOPIC.results,
      TOPIC.dlq,
      TOPIC.enrolments,
      TOPIC.auditHeads,
      TOPIC.schemas,
    ],
    // The trail is where people look at incidents, and say what they think of them.
    writes: [TOPIC.auditHeads, TOPIC.feedback, TOPIC.dlq, TOPIC.schemas],
    group: 'auditor',
  },
  registrar: { reads: [TOPIC.enrolments, TOPIC.schemas], writes: [TOPIC.enrolments, TOPIC.schemas], group: null },
};

export const ROLES: readonly Role[] = Object.keys(ACCESS) as Role[];

/** Names of the records that these roles read or write. */
export function recordsOf(roles: readonly Role[], access: 'reads' | 'writes'): RecordName[] {
  const names = roles.flatMap((role) => ACCESS[role][access].flatMap((topic) => RECORD_ON[topic] ?? []));
  return [...new Set(names)];
}

/** The topics that these roles read or write: brokers may hide the others from them. */
export function topicsOf(roles: readonly Role[]): Topic[] {
  return [...new Set(roles.flatMap((role) => [...ACCESS[role].reads, ...ACCESS[role].writes]))];
}
