import type { Paint } from '@ringfence/base';
import type { CheckResult } from '@ringfence/host-facts';
import { CHECKS } from '@ringfence/host-kit';
import { escapeText } from '@ringfence/wire';

const SHOWN_MAX = 20;

export function integrityText(checks: readonly CheckResult[], paint: Paint): string {
  return checks.flatMap((check) => checkLines(check, paint)).join('\n');
}

function checkLines({ check, findings, unseen }: CheckResult, paint: Paint): string[] {
  const mark = findings.length > 0 ? paint.red('✗') : unseen === '' ? paint.green('✓') : paint.yellow('–');
  const shown = findings
    .slice(0, SHOWN_MAX)
    .map(({ subject, detail }) => `      ${paint.bold(escapeText(subject))}: ${escapeText(detail)}`);
  const more = findings.length - shown.length;
  return [
    `${mark} ${check.padEnd(18)} ${CHECKS[check]}`,
    ...(unseen === '' ? [] : [`      ${paint.dim(`not checked: ${unseen}`)}`]),
    ...shown,
    ...(more > 0 ? [`      and ${more} more (--json lists all)`] : []),
  ];
}
