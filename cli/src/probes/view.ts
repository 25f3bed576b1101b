import type { Paint } from '@ringfence/base';
import { type ProbeCheck, type ProbeStatus, type TracepointField, usualType } from '@ringfence/collector';
import { escapeText } from '@ringfence/schema';

export function probeLines(probes: readonly ProbeStatus[], paint: Paint): string[] {
  if (probes.length === 0) return ['no probes: collector.probes.custom names their files (docs/PROBES.md)'];
  return probes.flatMap(({ hits, limited, lost, faults, ...one }) => {
    const dropped = [
      ...(limited > 0 ? [`${limited} over its limit`] : []),
      ...(lost > 0 ? [`${lost} for want of room`] : []),
      ...(faults > 0 ? [`${faults} arguments could not be read`] : []),
    ];
    const said = dropped.length === 0 ? '' : `; dropped: ${dropped.join(', ')}`;
    return [...checkLines(one, paint), `      ${hits} hits${said}`];
  });
}

export function checkLines({ name, target, defined, places, problem }: ProbeCheck, paint: Paint): string[] {
  const many = places > 1 ? ` (${places} places)` : '';
  return [
    `${problem === '' ? paint.green('✓') : paint.red('✗')} ${paint.bold(name)}  ${escapeText(target)}${many}`,
    ...(problem === ''
      ? []
      : [`      ${escapeText(problem)}`, `      ${paint.dim(`defined in ${escapeText(defined)}`)}`]),
  ];
}

export const fieldLine = (field: TracepointField): string =>
  `${field.name.padEnd(24)} ${usualType(field).padEnd(8)} ${escapeText(field.declared)}`;
