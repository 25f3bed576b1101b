import type { RecordName } from '../avro/schemas.ts';
import { RECORD_ON, TOPIC, type Topic } from './topics.ts';

/** Clients of the bus. In a fleet, each has a certificate and an entry in the broker's access lists. */
export type Role = 'agent' | 'enricher' | 'detector' | 'responder' | 'auditor' | 'forwarder' | 'registrar';

export interface Access {
  readonly reads: readonly Topic[];
  readonly writes: readonly Topic[];
  /** Name, or prefix before a hyphen, of the role's consumer groups and state stores; null when it has none. */
  readonly group: Role | null;
}

/**
 * The least access that each role needs. `schemas` and `enrolments` are for reading and verifying records of others.
 */
export const ACCESS: Readonly<Record<Role, Access>> = {
  // An agent reads no topic: commands arrive on its control stream. It publishes no schemas: servers have those of
  // every released version.
  agent: { reads: [], writes: [TOPIC.raw, TOPIC.logsRaw], group: null },
  enricher: {
    reads: [TOPIC.raw, TOPIC.logsRaw, TOPIC.enrolments, TOPIC.schemas],
    writes: [TOPIC.events, TOPIC.operator, TOPIC.dlq, TOPIC.schemas],
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
      TOPIC.operator,
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
      TOPIC.runs,
      TOPIC.interest,
      TOPIC.enrolments,
      TOPIC.schemas,
    ],
    writes: [
      TOPIC.commands,
      TOPIC.results,
      TOPIC.answers,
      TOPIC.runs,
      TOPIC.feedback,
      TOPIC.operator,
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
      TOPIC.operator,
      TOPIC.auditHeads,
      TOPIC.schemas,
    ],
    // People read the audit trail, and give feedback on its incidents.
    writes: [TOPIC.auditHeads, TOPIC.operator, TOPIC.feedback, TOPIC.dlq, TOPIC.schemas],
    group: 'auditor',
  },
  forwarder: {
    reads: [
      TOPIC.alerts,
      TOPIC.incidents,
      TOPIC.commands,
      TOPIC.results,
      TOPIC.operator,
      TOPIC.enrolments,
      TOPIC.schemas,
    ],
    writes: [TOPIC.operator, TOPIC.dlq, TOPIC.schemas],
    group: 'forwarder',
  },
  registrar: {
    reads: [TOPIC.enrolments, TOPIC.schemas],
    writes: [TOPIC.enrolments, TOPIC.operator, TOPIC.schemas],
    group: null,
  },
};

export const ROLES: readonly Role[] = Object.keys(ACCESS) as Role[];

/** The roles whose processes record the actions of operators. */
export const OPERATOR_ROLES: readonly Role[] = ROLES.filter((role) => ACCESS[role].writes.includes(TOPIC.operator));

/** Returns the names of the records that these roles read or write. */
export function recordsOf(roles: readonly Role[], access: 'reads' | 'writes'): RecordName[] {
  const names = roles.flatMap((role) => ACCESS[role][access].flatMap((topic) => RECORD_ON[topic] ?? []));
  return [...new Set(names)];
}

/** Returns the topics that these roles read or write: brokers may hide all others from them. */
export function topicsOf(roles: readonly Role[]): Topic[] {
  return [...new Set(roles.flatMap((role) => [...ACCESS[role].reads, ...ACCESS[role].writes]))];
}
