import { isHostId, LEAVE_GRACE_MS } from '@ringfence/identity';
import { escapeText, type Role } from '@ringfence/wire';
import { counted } from '../shared/numbers.ts';

/** The answer of the registrar to `ringfence revoke`. */
export interface Revocation {
  readonly keys: number;
  readonly access?: 'removed' | 'failed' | 'none';
  readonly departure?: 'left' | 'unconfirmed' | 'not-awaited';
  /** Time of the revocation, ms since the epoch. */
  readonly at?: number;
  readonly roles?: readonly Role[];
}

const BROKERS: Readonly<Record<NonNullable<Revocation['access']>, string>> = {
  removed: 'its access is removed: they refuse its next request, also on open connections',
  failed: 'its access could not be removed yet: the registrar tries again and logs the reason; until then it can read',
  none: 'they do not know it by its name: remove its user there if it has one, else its certificate works until it expires',
};

const LATER = 'other members take its partitions after bus.kafka.sessionTimeout';
const GROUPS: Readonly<Record<NonNullable<Revocation['departure']>, string>> = {
  left: 'it has left its groups, and other members have its partitions',
  unconfirmed: `it did not confirm within ${LEAVE_GRACE_MS / 1000} s that it has left its groups: ${LATER}`,
  'not-awaited': `unless it leaves its groups by itself, ${LATER}`,
};

/** Roles whose work can be done again from what the hosts reported. */
const REPLAYED: readonly Role[] = ['detector', 'enricher'];
/** A replay begins this long before the revocation, ms, so that it knows the processes of that time. */
const REPLAY_BEFORE_MS = 3_600_000;

/** Formats the effect of a revocation and what remains to do. */
export function revocationLines(subject: string, revocation: Revocation): string[] {
  const { keys, access = 'none', departure = 'not-awaited' } = revocation;
  const name = escapeText(subject);
  const lines = [`${name}: ${counted(keys, 'key')} revoked`];
  if (isHostId(subject))
    return [
      ...lines,
      '  services: refuse its records from now on, and responders end its stream',
      '  brokers:  all agents share a principal that may only write reports of hosts; its certificate works until it expires',
      '  next:     find out how its keys were lost; to use the host again, delete its identity directory',
      `            and enrol it: ringfence token --role agent --subject ${name}`,
    ];
  return [
    ...lines,
    `  groups:   ${GROUPS[departure]}`,
    `  brokers:  ${BROKERS[access]}`,
    '  services: refuse its records from now on, and the process ends',
    '  agents:   obey it no longer within minutes, at the latest after control.standingMaxAge (1 h)',
    '  next:     check that another member runs (ringfence topology);',
    '            change the passwords that its machine had (Redis, Elasticsearch), and delete its identity directory;',
    `            to use the name again: ringfence token --role … --subject ${name}`,
    ...replayLines(revocation),
  ];
}

/** Formats how to judge again what the subject had judged and others then refused. */
function replayLines({ at, roles = [] }: Revocation): string[] {
  if (at === undefined || !roles.some((role) => REPLAYED.includes(role))) return [];
  const since = new Date(at - REPLAY_BEFORE_MS).toISOString();
  return [
    '  alerts:   if records of it are in the dead letters (ringfence.dlq), judge the reports of that time again while',
    '            topics.raw.retention (6 h) keeps them. On a machine with an enricher, with its settings:',
    `              ringfence record revoked.rec --since ${since} --until now`,
    '            With the settings of a detector:',
    '              ringfence replay revoked.rec',
    '            It kills nothing and stores nothing; its alerts have the ids that they had',
  ];
}
