import type { Paint } from '@ringfence/base';
import type { InterestGroup } from '@ringfence/enricher';
import { interestContent } from '@ringfence/interest';
import type { HostInterests } from '@ringfence/runtime/status';
import { escapeText } from '@ringfence/wire';
import { counted } from '../shared/numbers.ts';

const MAX_VERSIONS = 20;
const MAX_HOSTS = 5;

/** Formats how many hosts filter with each version of the interest. Hosts with an older version are named. */
export function interestLines({ groups, current }: HostInterests, paint: Paint): string[] {
  if (groups.length === 0) return [];
  const newest = current ?? Math.max(...groups.map(({ version }) => version));
  const omitted = groups.length - MAX_VERSIONS;
  return [
    paint.bold('Interests that hosts filter with, from their last batches'),
    ...groups.slice(0, MAX_VERSIONS).map((group) => groupLine(group, newest, paint)),
    ...(omitted > 0 ? [paint.yellow(`  and ${counted(omitted, 'older version')}`)] : []),
  ];
}

function groupLine({ version, hosts, some: examples }: InterestGroup, current: number, paint: Paint): string {
  const count = counted(hosts, 'host');
  const shown = examples.slice(0, MAX_HOSTS).map(escapeText).join(', ');
  const names = hosts > MAX_HOSTS ? `${shown}, …` : shown;
  if (version === 0) return paint.yellow(`  ${count} with no interest, sending everything: ${names}`);
  if (interestContent(version) === interestContent(current)) return `  ${count} with the current interest (${current})`;
  return paint.yellow(`  ${count} with an older interest (${version}): ${names}`);
}
