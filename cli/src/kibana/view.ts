import type { Paint } from '@ringfence/base';
import type { Plan, PlannedObject } from '@ringfence/kibana';
import { escapeText } from '@ringfence/wire';
import { counted } from '../shared/numbers.ts';

const KINDS: Readonly<Record<PlannedObject['type'], string>> = {
  'index-pattern': 'data view',
  search: 'saved search',
  dashboard: 'dashboard',
};
const FORMS: Readonly<Record<Plan['form'], string>> = {
  'dashboards-api': 'Dashboards API',
  'saved-objects': 'saved objects',
};

/** Lines of a plan. `isDone`: it has been carried out. */
export function planLines(paint: Paint, { version, form, objects }: Plan, isDone: boolean): string[] {
  const changed = objects.filter(({ change }) => change !== 'none');
  const same = objects.length - changed.length;
  const lines = [
    paint.bold(`Kibana ${escapeText(version)}, by ${FORMS[form]}`),
    ...changed.flatMap((object) => linesOf(paint, object, isDone)),
  ];
  if (same > 0) lines.push(paint.dim(`${counted(same, 'object')} already up to date`));
  return lines;
}

function linesOf(paint: Paint, { type, title, change, differences }: PlannedObject, isDone: boolean): string[] {
  const word = `${change}${isDone ? 'd' : ''}`;
  const shown = differences.map((path) => paint.dim(`           differs: ${escapeText(path)}`));
  return [
    `  ${(change === 'create' ? paint.green : paint.yellow)(word.padEnd(8))} ${KINDS[type]} "${escapeText(title)}"`,
    ...shown,
  ];
}
