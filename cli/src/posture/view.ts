import type { Paint } from '@ringfence/base';
import type { ContainerPosture, Finding, Posture, Severity } from '@ringfence/posture';
import { escapeText } from '@ringfence/wire';

export function postureText({ containers, host }: Posture, paint: Paint): string {
  const lines = containers.flatMap((container) => [...containerLines(container, paint), '']);
  if (containers.length === 0) lines.push('No container is running.', '');
  if (host !== null) {
    lines.push(paint.bold('This machine'));
    if (host.length === 0) lines.push(`  ${paint.green('✓')} no findings`);
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
  const shortId = id.slice(0, 12);
  const title = `${paint.bold(escapeText(name || shortId))} ${paint.dim(escapeText(shortId))} ${facts.join(', ')}`;
  if (state === null) return [title, paint.dim('  ended during the check')];
  if (findings.length === 0) return [title, `  ${paint.green('✓')} no findings`];
  const fixes = securityContext.length > 0 ? [...securityContext] : [flags.join(' ')];
  return [
    title,
    ...findings.flatMap((finding) => findingLines(finding, paint, false)),
    `  ${paint.dim('start it with:')}`,
    ...fixes.map((line) => `    ${paint.cyan(escapeText(line))}`),
    ...(usageKnown
      ? []
      : [paint.dim('    (the capabilities that it uses are unknown: add those that it needs, one by one)')]),
  ];
}

const COLOURS: Readonly<Record<Severity, 'red' | 'yellow' | 'dim'>> = {
  critical: 'red',
  high: 'red',
  medium: 'yellow',
  low: 'dim',
};

function findingLines(finding: Finding, paint: Paint, showCommands: boolean): string[] {
  const { severity, what: title, why, instead: commands } = finding;
  return [
    `  ${paint[COLOURS[severity]](severity.padEnd(8))} ${escapeText(title)}`,
    `           ${paint.dim(escapeText(why))}`,
    ...(showCommands ? commands.map((command) => `           ${paint.cyan(command)}`) : []),
  ];
}
