import type { Paint } from '@ringfence/base';
import type { ContainerPosture, Finding, Posture, Severity } from '@ringfence/posture';
import { escapeText } from '@ringfence/wire';

export function postureText({ containers, host }: Posture, paint: Paint): string {
  const lines = containers.flatMap((one) => [...containerLines(one, paint), '']);
  if (containers.length === 0) lines.push('No container runs.', '');
  if (host !== null) {
    lines.push(paint.bold('This machine'));
    if (host.length === 0) lines.push(`  ${paint.green('✓')} nothing of what is looked at is amiss`);
    lines.push(...host.flatMap((finding) => findingLines(finding, paint, true)));
  }
  return lines.join('\n').trimEnd();
}

function containerLines(
  { container, state, findings, flags, securityContext, usageKnown }: ContainerPosture,
  paint: Paint,
): string[] {
  const { id, name, image, runtime, pod, namespace } = container;
  const facts = [runtime, image, pod === '' ? '' : `pod ${namespace}/${pod}`]
    .filter((fact) => fact !== '')
    .map(escapeText);
  const title = `${paint.bold(escapeText(name || id.slice(0, 12)))} ${paint.dim(escapeText(id.slice(0, 12)))} ${facts.join(', ')}`;
  if (state === null) return [title, paint.dim('  it ended while it was looked at')];
  if (findings.length === 0) return [title, `  ${paint.green('✓')} nothing of what is looked at is amiss`];
  const instead = securityContext.length > 0 ? [...securityContext] : [flags.join(' ')];
  return [
    title,
    ...findings.flatMap((finding) => findingLines(finding, paint, false)),
    `  ${paint.dim('instead:')}`,
    ...instead.map((line) => `    ${paint.cyan(escapeText(line))}`),
    ...(usageKnown
      ? []
      : [paint.dim('    (which capabilities it uses is not known: add what it turns out to need, one by one)')]),
  ];
}

const PAINTED: Readonly<Record<Severity, 'red' | 'yellow' | 'dim'>> = {
  critical: 'red',
  high: 'red',
  medium: 'yellow',
  low: 'dim',
};

function findingLines({ severity, what, why, instead }: Finding, paint: Paint, commands: boolean): string[] {
  return [
    `  ${paint[PAINTED[severity]](severity.padEnd(8))} ${escapeText(what)}`,
    `           ${paint.dim(escapeText(why))}`,
    ...(commands ? instead.map((command) => `           ${paint.cyan(command)}`) : []),
  ];
}
