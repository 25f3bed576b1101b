import type { Paint } from '@ringfence/base';
import { durationText } from '@ringfence/base';
import type { Status } from '@ringfence/runtime/status';
import { escapeText } from '@ringfence/schema';
import { bytesText, counted, grouped } from '../shared/numbers.ts';

/** A service's numbers, wherever they are in its stats. */
type Stats = Readonly<Record<string, unknown>>;
const statsOf = (status: Status, name: string): Stats =>
  (status.services.find((service) => service.name === name)?.stats ?? {}) as Stats;
const count = (value: unknown): number =>
  typeof value === 'number'
    ? value
    : typeof value === 'object' && value !== null
      ? Object.values(value).reduce<number>((sum, one) => sum + count(one), 0)
      : 0;

/** Causes of drops that are no loss: what nobody wanted, or nobody can tell. */
const FILTERS: ReadonlySet<string> = new Set(['self', 'unwatched', 'read_fault', 'owner', 'merged']);

/** Lost records by cause; empty when nothing was. */
export function lossesOf(status: Status): [string, number][] {
  const drops = (statsOf(status, 'collector')['drops'] ?? {}) as Record<string, number>;
  return Object.entries(drops).filter(([cause, n]) => n > 0 && !FILTERS.has(cause));
}

/** Block of the live view. `before` and `seconds` ago: what rates are measured against. */
export function statusLines(paint: Paint, status: Status, before: Status, seconds: number): string[] {
  const rate = (name: string, key: string): string =>
    `${grouped(Math.max(0, count(statsOf(status, name)[key]) - count(statsOf(before, name)[key])) / seconds)}/s`;
  const lag = (name: string): string => {
    const records = status.services.find((service) => service.name === name)?.lag ?? 0;
    return records > 100 ? paint.yellow(`lag ${grouped(records)}`) : `lag ${grouped(records)}`;
  };
  const of = (name: string, key: string): string => grouped(count(statsOf(status, name)[key]));
  const losses = lossesOf(status);
  const lost =
    losses.length === 0
      ? paint.green('lost 0')
      : paint.red(`lost ${losses.map(([cause, n]) => `${grouped(n)} ${cause}`).join(', ')}`);
  const results = (statsOf(status, 'responder')['results'] ?? {}) as Record<string, number>;
  const row = (name: string, ...cells: string[]): string => `  ${name.padEnd(10)} ${cells.join(paint.dim(' · '))}`;
  const lines = [
    paint.dim(
      `── ringfence ${status.version} · host ${status.hostId.slice(0, 8)} · responder ${status.mode}s · up ${durationText(status.uptimeS * 1e6)} ──`,
    ),
    row(
      'collector',
      `events ${rate('collector', 'events')}`,
      lost,
      `in rings ${bytesText(status.services.find(({ name }) => name === 'collector')?.lag ?? 0)}`,
    ),
    row(
      'enricher',
      `events ${rate('enricher', 'events')}`,
      lag('enricher'),
      `processes ${of('enricher', 'processes')}`,
      `gaps ${of('enricher', 'gaps')}`,
    ),
    row(
      'detector',
      `events ${rate('detector', 'events')}`,
      lag('detector'),
      `rules ${of('detector', 'rules')}`,
      `alerts ${of('detector', 'alerts')}`,
      `incidents ${of('detector', 'opened')}`,
    ),
    row(
      'responder',
      lag('responder'),
      `killed ${grouped(results['executed'] ?? 0)}`,
      `would have ${grouped(count((statsOf(status, 'responder')['commands'] as Record<string, number> | undefined)?.['observe']))}`,
    ),
    row(
      'auditor',
      lag('auditor'),
      `stored ${bytesText(count((statsOf(status, 'auditor')['sink'] as Stats | undefined)?.['usedBytes'] ?? statsOf(status, 'auditor')['usedBytes']))}`,
    ),
  ];
  const shown = new Set(status.services.map(({ name }) => name));
  const { deaf } = statsOf(status, 'enricher');
  return [
    ...lines.filter(
      (_, index) =>
        index === 0 || shown.has(['collector', 'enricher', 'detector', 'responder', 'auditor'][index - 1] as never),
    ),
    row('uses', `memory ${bytesText(status.rssBytes)}`, `log ${bytesText(status.bus.usedBytes)}`),
    ...(typeof deaf === 'string' ? [paint.yellow(`  ${deaf}`)] : []),
    ...ruleLines(statsOf(status, 'detector'), paint),
  ];
}

/** What of the rules is not in force. */
function ruleLines({ refusedRuleFiles: refused, ruleErrors: errors }: Stats, paint: Paint): string[] {
  const files = Array.isArray(refused) ? refused.map((name) => escapeText(String(name))) : [];
  return [
    ...files.map((name) =>
      paint.red(`  ${name} has errors: what it was before stays in force; ringfence rules check says what`),
    ),
    ...(count(errors) === 0
      ? []
      : [
          paint.red(
            `  ${counted(count(errors), 'error')} in rules: what has one is left out; ringfence rules check says what`,
          ),
        ]),
  ];
}
