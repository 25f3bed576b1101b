import type { Paint } from '@ringfence/base';
import { durationText } from '@ringfence/base';
import type { AccessEntry, Change, Plan } from '@ringfence/bus/topics';
import type { MissingSchema } from '@ringfence/runtime/fleet';
import { escapeText } from '@ringfence/schema';
import { counted } from '../shared/numbers.ts';

/** A plan for a person: what apply does, what is theirs to do, who else has access. */
export function planLines(paint: Paint, plan: Plan, schemas: readonly MissingSchema[] | null): string[] {
  const lines = plan.changes.map((change) => changeLine(paint, change));
  for (const { subject, compatible } of schemas ?? [])
    lines.push(
      compatible
        ? `${paint.green('+')} schema  ${subject}`
        : `${paint.red('✗')} schema  ${subject}  the registry does not take it beside those it has: is this an older version than the fleet's?`,
    );
  if (plan.byHand.length > 0) {
    lines.push('', paint.bold('Not changed by apply'));
    for (const [why, some] of Map.groupBy(plan.byHand, ({ why }) => why)) {
      for (const { topic, setting, from, to } of some)
        lines.push(`  ${paint.yellow('!')} ${topic}: ${from} ${setting}, ${to} wanted`);
      lines.push(`    ${paint.dim(why)}`);
    }
  }
  if (plan.foreignAccess.length > 0) {
    lines.push('', paint.bold('Others with access to these topics and groups, left alone'));
    for (const entry of plan.foreignAccess) lines.push(`  ${paint.dim('·')} ${entryText(entry)}`);
  }
  if (!plan.accessChecked)
    lines.push(
      '',
      `${paint.yellow('!')} the brokers keep no access lists: whoever reaches them may read and write everything`,
    );
  lines.push('', summary(plan, schemas?.length ?? 0));
  return lines[0] === '' ? lines.slice(1) : lines;
}

export function changeLine(paint: Paint, change: Change): string {
  if (change.kind === 'add-access') return `${paint.green('+')} access  ${entryText(change.entry)}`;
  if (change.kind === 'alter-setting') {
    const { topic, setting, from, to } = change;
    return `${paint.yellow('~')} topic   ${topic}  ${setting}: ${from === '' ? '(none)' : escapeText(from)} → ${to}`;
  }
  const { name, partitions, replicas, settings } = change.topic;
  const policy = `${settings['cleanup.policy']}, kept ${kept(settings['retention.ms'])}`;
  return `${paint.green('+')} topic   ${name}  ${counted(partitions, 'partition')}, ${counted(replicas, 'replica')}, ${policy}`;
}

function kept(retentionMs = '-1'): string {
  const ms = Number(retentionMs);
  if (ms < 0) return 'for ever';
  return durationText(ms * 1000);
}

function entryText({ principal, permission, operation, resource, pattern, name, host }: AccessEntry): string {
  const from = host === '*' ? '' : ` from ${escapeText(host)}`;
  return `${escapeText(principal)} ${permission} ${operation} ${resource} ${escapeText(name)}${pattern === 'prefixed' ? '…' : ''}${from}`;
}

function summary({ changes, byHand }: Plan, schemas: number): string {
  if (changes.length + byHand.length + schemas === 0) return 'Everything is as it should be.';
  const left = byHand.length === 0 ? '' : `, ${byHand.length} to do by hand`;
  return `${changes.length + schemas} to change${left}.`;
}
