import { type Paint, paintPriority } from '@ringfence/base';
import { type Alert, escapeText } from '@ringfence/wire';

/** Local time of day of µs since the epoch, with ms. */
export function timeOfDay(micros: number): string {
  const date = new Date(micros / 1000);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** One line. */
export function alertLine(paint: Paint, alert: Alert): string {
  const where =
    alert.container === null ? '' : paint.dim(` [${escapeText(alert.container.name || alert.container.id)}]`);
  const priority = paintPriority(paint, alert.priority, alert.priority.toUpperCase().padEnd(8));
  return `${paint.dim(timeOfDay(alert.timestamp))} ${priority} ${paint.bold(escapeText(alert.rule))}${where} ${escapeText(alert.output)}`;
}
