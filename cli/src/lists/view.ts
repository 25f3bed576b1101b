import { type Paint, paintPriority } from '@ringfence/base';
import type { EventDocument } from '@ringfence/fields';
import { type Alert, escapeText } from '@ringfence/wire';
import { timeOfDay } from '../shared/numbers.ts';

export function alertLine(paint: Paint, alert: Alert): string {
  const { container } = alert;
  const where = container === null ? '' : paint.dim(` [${escapeText(container.name || container.id)}]`);
  const priority = paintPriority(paint, alert.priority, alert.priority.toUpperCase().padEnd(8));
  const rule = paint.bold(escapeText(alert.rule));
  return `${paint.dim(timeOfDay(alert.timestamp))} ${priority} ${rule}${where} ${escapeText(alert.output)}`;
}

/** Fields that an event line shows if the event has them. */
const SHOWN: readonly string[] = [
  'file.path',
  'destination.ip',
  'destination.port',
  'network.unix.path',
  'event.outcome',
  'process.exit_code',
  'process.exit_signal',
  'user.before.effective.id',
  'user.changes.effective.id',
  'throttled.kind',
  'gap.lane',
  'gap.reason',
  'event.count',
];

export function eventLine(paint: Paint, event: EventDocument): string {
  const text = (name: string): string => escapeText(String(event[name] ?? ''));
  const command = event['event.action'] === 'exec' ? text('process.command_line') : text('process.executable');
  const isShown = (name: string): boolean =>
    event[name] !== undefined && !(name === 'event.count' && event[name] === 1);
  const details = SHOWN.filter(isShown).map((name) => `${paint.dim(`${name}=`)}${text(name)}`);
  const where = event['container.name'] === undefined ? '' : paint.dim(` [${text('container.name')}]`);
  const cells = [
    paint.dim(text('@timestamp').slice(11, 23)),
    paint.cyan(text('event.action').padEnd(11)),
    text('process.pid').padStart(7),
    text('user.name').padEnd(8),
    `${command}${where}`,
    ...details,
  ];
  return cells.join(' ').trimEnd();
}
