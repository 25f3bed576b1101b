import type { Paint } from '@ringfence/base';
import { type ProbeCheck, type ProbeStatus, type TracepointField, usualType } from '@ringfence/sensor';
import { escapeText } from '@ringfence/wire';
import { counted } from '../shared/numbers.ts';

export function probeLines(probes: readonly ProbeStatus[], paint: Paint): string[] {
  if (probes.length === 0) return ['no probes: set collector.probes.custom to their files (docs/PROBES.md)'];
  return probes.flatMap(({ hits, limited, lost, faults, ...probe }) => {
    const drops = [
      ...(limited > 0 ? [`${limited} over the rate limit`] : []),
      ...(lost > 0 ? [`${lost} by a full buffer or a throttled cgroup`] : []),
    ];
    const facts = [
      counted(hits, 'hit'),
      ...(drops.length > 0 ? [`dropped: ${drops.join(', ')}`] : []),
      ...(faults > 0 ? [`${counted(faults, 'argument')} could not be read`] : []),
    ];
    return [...checkLines(probe, paint), `      ${facts.join('; ')}`];
  });
}

export function checkLines({ name, target, defined, places, problem }: ProbeCheck, paint: Paint): string[] {
  const locations = places > 1 ? ` (${places} locations)` : '';
  return [
    `${problem === '' ? paint.green('✓') : paint.red('✗')} ${paint.bold(name)}  ${escapeText(target)}${locations}`,
    ...(problem === ''
      ? []
      : [`      ${escapeText(problem)}`, `      ${paint.dim(`defined in ${escapeText(defined)}`)}`]),
  ];
}

export const fieldLine = (field: TracepointField): string =>
  `${field.name.padEnd(24)} ${usualType(field).padEnd(8)} ${escapeText(field.declared)}`;
