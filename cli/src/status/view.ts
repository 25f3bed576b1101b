import { durationText, type Paint } from '@ringfence/base';
import type { Status } from '@ringfence/runtime/status';
import { escapeText } from '@ringfence/wire';
import { bytesText, counted, grouped } from '../shared/numbers.ts';

/** A larger lag, in records, is highlighted. */
const LATE = 100;

type Stats = Readonly<Record<string, unknown>>;
const statsOf = (status: Status, name: string): Stats =>
  (status.services.find((service) => service.name === name)?.stats ?? {}) as Stats;

/** Returns a number, or the sum of all numbers in an object. */
/** Returns the sum of counts by label. */
const sumOf = (counts: unknown): number =>
  Object.values((counts ?? {}) as Stats).reduce<number>((sum, value) => sum + count(value), 0);

function count(value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce<number>((sum, part) => sum + count(part), 0);
}

/** Causes that count filtered, merged or incomplete events, none of which is lost. */
const NO_LOSS: ReadonlySet<string> = new Set(['self', 'unwatched', 'read_fault', 'owner', 'merged']);

/** Formats the lost events by cause. */
function lossText(paint: Paint, status: Status): string {
  const drops = (statsOf(status, 'collector')['drops'] ?? {}) as Record<string, number>;
  const losses = Object.entries(drops).filter(([cause, events]) => events > 0 && !NO_LOSS.has(cause));
  if (losses.length === 0) return paint.green('lost 0');
  return paint.red(`lost ${losses.map(([cause, events]) => `${grouped(events)} ${cause}`).join(', ')}`);
}

/** Formats the block of the live view. Rates are measured since `previous`, which is `seconds` old. */
export function statusLines(paint: Paint, status: Status, previous: Status, seconds: number): string[] {
  const cells = serviceCells(paint, status, previous, seconds);
  const running = new Set<string>(status.services.map(({ name }) => name));
  const row = (name: string, texts: readonly string[]): string =>
    `  ${name.padEnd(10)} ${texts.join(paint.dim(' · '))}`;
  const { deaf } = statsOf(status, 'enricher');
  return [
    paint.dim(
      `── ringfence ${status.version} · host ${status.hostId.slice(0, 8)} · responder ${status.mode}s · up ${durationText(status.uptimeS * 1e6)} ──`,
    ),
    ...Object.entries(cells).flatMap(([name, texts]) => (running.has(name) ? [row(name, texts)] : [])),
    row('uses', [`memory ${bytesText(status.rssBytes)}`, `log ${bytesText(status.bus.usedBytes)}`]),
    ...controlLines(status, paint),
    ...(typeof deaf === 'string' ? [paint.yellow(`  ${deaf}`)] : []),
    ...ruleLines(statsOf(status, 'detector'), paint),
    ...playbookLines(statsOf(status, 'responder'), paint),
  ];
}

/** Returns the cells of each service's row, in the order of the rows. */
function serviceCells(
  paint: Paint,
  status: Status,
  previous: Status,
  seconds: number,
): Readonly<Record<string, readonly string[]>> {
  const rate = (name: string, key: string): string =>
    `${grouped(Math.max(0, count(statsOf(status, name)[key]) - count(statsOf(previous, name)[key])) / seconds)}/s`;
  const total = (name: string, key: string): string => grouped(count(statsOf(status, name)[key]));
  const lagOf = (name: string): number => status.services.find((service) => service.name === name)?.lag ?? 0;
  const lag = (name: string): string => {
    const text = `lag ${grouped(lagOf(name))}`;
    return lagOf(name) > LATE ? paint.yellow(text) : text;
  };
  const { results, commands } = statsOf(status, 'responder') as Readonly<Record<string, Stats | undefined>>;
  const auditor = statsOf(status, 'auditor');
  const stored = (auditor['sink'] as Stats | undefined)?.['usedBytes'] ?? auditor['usedBytes'];
  return {
    collector: [
      `events ${rate('collector', 'events')}`,
      lossText(paint, status),
      `in rings ${bytesText(lagOf('collector'))}`,
    ],
    enricher: [
      `events ${rate('enricher', 'events')}`,
      lag('enricher'),
      `processes ${total('enricher', 'processes')}`,
      `gaps ${total('enricher', 'gaps')}`,
    ],
    detector: [
      `events ${rate('detector', 'events')}`,
      lag('detector'),
      `rules ${total('detector', 'rules')}`,
      `alerts ${total('detector', 'alerts')}`,
      `incidents ${total('detector', 'opened')}`,
    ],
    responder: [
      lag('responder'),
      `killed ${grouped(count(results?.['executed']))}`,
      `would have killed ${grouped(count(commands?.['observe']))}`,
    ],
    auditor: [lag('auditor'), `stored ${bytesText(count(stored))}`],
    forwarder: [
      `backlog ${grouped(lagOf('forwarder'))}`,
      `sent ${grouped(sumOf(statsOf(status, 'forwarder')['sent']))}`,
      ...Object.keys((statsOf(status, 'forwarder')['failing'] ?? {}) as Stats).map((name) =>
        paint.red(`${name} fails`),
      ),
    ],
  };
}

/** Reports that the agent obeys no responder. */
function controlLines({ control }: Status, paint: Paint): string[] {
  if (control?.obeysNobody !== 1) return [];
  const { standingAgeSeconds: age } = control;
  const reason = age < 0 ? 'it has no standing' : `its standing is ${durationText(age * 1e6)} old`;
  return [paint.red(`  this agent obeys no responder: ${reason}; check that it reaches the registrar`)];
}

/** Reports that playbooks of an earlier time are in force. */
function playbookLines({ playbooksRefusedSeconds: seconds }: Stats, paint: Paint): string[] {
  if (!(count(seconds) > 0)) return [];
  const age = durationText(count(seconds) * 1e6);
  return [
    paint.red(
      `  playbook files have had errors for ${age}: the earlier ones stay in force; run ringfence playbooks check`,
    ),
  ];
}

/** Lists rule files and rules that are not in force. */
function ruleLines({ refusedRuleFiles: refused, ruleErrors: errors }: Stats, paint: Paint): string[] {
  const files = Array.isArray(refused) ? refused.map((name) => escapeText(String(name))) : [];
  return [
    ...files.map((name) =>
      paint.red(`  ${name} has errors: its previous version stays in force; run ringfence rules check`),
    ),
    ...(count(errors) === 0
      ? []
      : [
          paint.red(
            `  ${counted(count(errors), 'error')} in rules: rules with errors are skipped; run ringfence rules check`,
          ),
        ]),
  ];
}
