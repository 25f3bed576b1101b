import { durationText, type Paint } from '@ringfence/base';
import type { AccessEntry, Change, Plan } from '@ringfence/bus-kafka/topics';
import type { MissingSchema } from '@ringfence/runtime/fleet';
import { escapeText } from '@ringfence/wire';
import { counted } from '../shared/numbers.ts';

/** Formats a plan: the changes of apply, the changes to make by hand, and access entries that apply does not manage. */
export function planLines(paint: Paint, plan: Plan, schemas: readonly MissingSchema[] | null): string[] {
  const lines = plan.changes.map((change) => changeLine(paint, change));
  for (const { subject, compatible } of schemas ?? [])
    lines.push(
      compatible
        ? `${paint.green('+')} schema  ${subject}`
        : `${paint.red('✗')} schema  ${subject}  incompatible with the registry: is this Ringfence older than the fleet?`,
    );
  if (plan.byHand.length > 0) {
    lines.push('', paint.bold('To change by hand'));
    for (const [reason, differences] of Map.groupBy(plan.byHand, ({ why }) => why)) {
      for (const { topic, setting, from, to } of differences)
        lines.push(`  ${paint.yellow('!')} ${topic}: ${from} ${setting}, expected ${to}`);
      lines.push(`    ${paint.dim(reason)}`);
    }
  }
  if (plan.foreignAccess.length > 0) {
    lines.push('', paint.bold('Other access to these topics and groups, not changed by apply'));
    for (const entry of plan.foreignAccess) lines.push(`  ${paint.dim('·')} ${entryText(entry)}`);
  }
  if (!plan.accessChecked)
    lines.push('', `${paint.yellow('!')} the brokers have no access lists: every client may read and write everything`);
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
  const policy = `${settings['cleanup.policy']}, retention ${retentionText(settings['retention.ms'])}`;
  return `${paint.green('+')} topic   ${name}  ${counted(partitions, 'partition')}, ${counted(replicas, 'replica')}, ${policy}`;
}

function retentionText(retentionMs = '-1'): string {
  const ms = Number(retentionMs);
  if (ms < 0) return 'forever';
  return durationText(ms * 1000);
}

function entryText({ principal, permission, operation, resource, pattern, name, host }: AccessEntry): string {
  const from = host === '*' ? '' : ` from ${escapeText(host)}`;
  const target = `${escapeText(name)}${pattern === 'prefixed' ? '…' : ''}`;
  return `${escapeText(principal)} ${permission} ${operation} ${resource} ${target}${from}`;
}

function summary({ changes, byHand }: Plan, schemas: number): string {
  if (changes.length + byHand.length + schemas === 0) return 'Everything is up to date.';
  const manual = byHand.length === 0 ? '' : `, ${byHand.length} to make by hand`;
  return `${counted(changes.length + schemas, 'change')} for apply${manual}.`;
}
