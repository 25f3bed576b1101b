import { isHostId } from '@ringfence/identity';
import { escapeText } from '@ringfence/wire';
import { counted } from '../shared/numbers.ts';

/** The answer of the registrar to `ringfence revoke`. */
export interface Revocation {
  readonly keys: number;
  readonly access?: 'removed' | 'failed' | 'none';
}

const BROKERS: Readonly<Record<'removed' | 'failed' | 'none', string>> = {
  removed: 'its access is removed: they refuse its next request, also on open connections',
  failed: 'its access could not be removed yet: the registrar tries again and logs the reason; until then it can read',
  none: 'they do not know it by its name: remove its user there if it has one, else its certificate works until it expires',
};

/** Formats the effect of a revocation and what remains to do. */
export function revocationLines(subject: string, { keys, access = 'none' }: Revocation): string[] {
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
    `  brokers:  ${BROKERS[access]}`,
    '  services: refuse its records from now on; the process ends, and other members take its partitions',
    '  agents:   obey it no longer within minutes, at the latest after control.standingMaxAge (1 h)',
    '  next:     check that another member runs (ringfence topology) and look for dead letters of this time on ringfence.dlq;',
    '            change the passwords that its machine had (Redis, Elasticsearch), and delete its identity directory;',
    `            to use the name again: ringfence token --role … --subject ${name}`,
  ];
}
