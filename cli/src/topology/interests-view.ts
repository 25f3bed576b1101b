import type { Paint } from '@ringfence/base';
import type { InterestGroup } from '@ringfence/enricher';
import type { HostInterests } from '@ringfence/runtime/status';
import { escapeText, interestContent } from '@ringfence/schema';
import { counted, grouped } from '../shared/numbers.ts';

/** versions, and hosts of each */
const SHOWN = 20;
const NAMED = 5;

/** Which hosts filter with what: those behind are named. */
export function interestLines({ groups, current }: HostInterests, paint: Paint): string[] {
  if (groups.length === 0) return [];
  const now = current ?? Math.max(...groups.map(({ version }) => version));
  const more = groups.length - SHOWN;
  return [
    paint.bold('What hosts filter with, by their last batches'),
    ...groups.slice(0, SHOWN).map((one) => lineOf(one, now, paint)),
    ...(more > 0 ? [paint.yellow(`  and ${grouped(more)} older ones`)] : []),
  ];
}

function lineOf({ version, hosts, some }: InterestGroup, current: number, paint: Paint): string {
  const count = counted(hosts, 'host');
  const named = some.slice(0, NAMED).map(escapeText).join(', ');
  const who = hosts > NAMED ? `${named}, …` : named;
  if (version === 0) return paint.yellow(`  ${count} with no interest, sending everything: ${who}`);
  if (interestContent(version) === interestContent(current)) return `  ${count} with the current interest (${current})`;
  return paint.yellow(`  ${count} with an older interest (${version}): ${who}`);
}
