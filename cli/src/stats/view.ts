import type { Paint } from '@ringfence/base';
import type { CollectorStats, EventAccount, LaneFlow } from '@ringfence/collector';
import { DROP_OUTCOMES, type DropCause, sumOfDrops } from '@ringfence/runtime/status';
import type { KindAccount } from '@ringfence/sensor';
import { escapeText } from '@ringfence/wire';
import { grouped } from '../shared/numbers.ts';

const MAX_CGROUPS = 20;
const LANES: readonly string[] = ['security', 'bulk'];

const MEANINGS: Readonly<Record<DropCause, string>> = {
  unwatched: 'no loaded rule, policy or setting can match it, so it stayed in the kernel',
  self: "the agent's own files and connections",
  owner: 'traffic of a socket with an unknown process: the socket is older than the sensor, or its entry was evicted',
  merged: 'equal to an event sent within the last second; the next event that is sent includes it in event.count',
  throttled: 'its cgroup exceeded its share while the ring was filling up: see sensor.share in docs/CONFIGURATION.md',
  probe_rate: 'a user-defined probe fired more often per second than its perSecond: see ringfence probes list',
  ring_full:
    'the agent did not read the ring fast enough; a gap event reports each loss: ringfence events --where "event.action = gap"',
  scratch: "the CPU's buffer for building records was in use",
  forgotten: 'a map of the sensor was full, so the state for a later event was lost',
  read_fault: 'sent with an empty field, because the field could not be read from memory',
};

/** Accounts for every event from the kernel to the bus: two tables, and an explanation of each cause that occurred. */
export function statsText(
  collector: Pick<CollectorStats, 'account' | 'missingHooks' | 'retriedHooks'>,
  paint: Paint,
): string {
  const { kinds, lanes, throttled, failures, forgotten, skipped } = collector.account;
  const causes = new Map<DropCause, number>();
  for (const { drops } of kinds)
    for (const [cause, count] of Object.entries(drops) as [DropCause, number][])
      causes.set(cause, (causes.get(cause) ?? 0) + count);
  return [
    paint.bold(
      'In the kernel, since the sensor was loaded: seen = filtered + merged + throttled + ring full + other loss + sent',
    ),
    ...kindTable(kinds, paint),
    '',
    ...[...causes].map(([cause, count]) => paint.dim(`  ${cause} ${grouped(count)}: ${MEANINGS[cause]}`)),
    ...throttledLines(throttled, paint),
    ...skippedLines(skipped, paint),
    ...failureLines(failures, forgotten, paint),
    ...hookLines(collector, paint),
    '',
    paint.bold('From the rings to the bus'),
    ...lanes.flatMap((lane) => laneLines(lane, paint)),
  ].join('\n');
}

/** Lists the cgroups with the most throttled events first. */
function throttledLines(throttled: EventAccount['throttled'], paint: Paint): string[] {
  if (throttled.length === 0) return [];
  const noisiest = throttled.toSorted((a, b) => b.count - a.count).slice(0, MAX_CGROUPS);
  return [
    '',
    paint.bold('Throttled, or lost in a full security ring, by cgroup'),
    ...noisiest.map(({ cgroup, path, lane, kind, cause, count }) => {
      const name = escapeText(path || 'a removed cgroup');
      const reason = cause === 'ring_full' ? ', ring full' : '';
      return `  ${LANES[lane] ?? lane} ${kind} ${grouped(count)} of ${name} (cgroup ${cgroup}${reason})`;
    }),
  ];
}

function skippedLines(skipped: EventAccount['skipped'], paint: Paint): string[] {
  if (skipped.length === 0) return [];
  return [
    '',
    paint.bold('Not seen: calls that the kernel skipped because BPF was already running on that CPU, by program'),
    ...skipped.map(({ program, count }) => paint.red(`  ${program} ${grouped(count)}`)),
  ];
}

/** Lists the hooks that the agent keeps trying to attach. `ringfence doctor` reports those that this kernel lacks. */
function hookLines(
  { missingHooks, retriedHooks }: Pick<CollectorStats, 'missingHooks' | 'retriedHooks'>,
  paint: Paint,
): string[] {
  if (retriedHooks.length === 0) return [];
  return [
    '',
    paint.bold('Hooks that are not attached; the agent retries each'),
    ...retriedHooks.map((hook) => paint.red(`  ${missingHooks[hook] ?? hook}`)),
  ];
}

function failureLines(
  failures: EventAccount['failures'],
  forgotten: EventAccount['forgotten'],
  paint: Paint,
): string[] {
  if (failures.length + forgotten.length === 0) return [];
  return [
    '',
    paint.bold('Failures in the sensor, by place'),
    ...failures.map(({ place, errno, count }) => `  ${place} ${errno} ${grouped(count)}`),
    ...forgotten.map(({ map, entries }) => `  ${map} was full: at least ${grouped(entries)} entries evicted`),
  ];
}

function kindTable(kinds: readonly KindAccount[], paint: Paint): string[] {
  const head = ['lane', 'event', 'seen', ...DROP_OUTCOMES.map(({ name }) => name), 'sent', 'in flight'];
  const rows = kinds.map((account) => rowOf(account));
  const total = kinds.reduce<number[]>((sums, account) => numbersOf(account).map((n, i) => n + (sums[i] ?? 0)), []);
  const totalRow = ['', 'all', ...total.map(cell)];
  // Columns without any event are hidden, so that the table fits a terminal of 80 columns.
  const isShown = (column: number): boolean => column < NAME_COLUMNS || total[column - NAME_COLUMNS] !== 0;
  const widths = head.map((title, i) =>
    Math.max(title.length, ...[...rows, totalRow].map((row) => row[i]?.length ?? 0)),
  );
  const padded = (text: string, i: number): string =>
    i < NAME_COLUMNS ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0);
  const line = (row: readonly string[]): string =>
    `  ${row
      .map(padded)
      .filter((_, i) => isShown(i))
      .join('  ')}`;
  const hidden = head.filter((_, i) => !isShown(i));
  return [
    paint.dim(line(head)),
    ...rows.map((row, i) => (kinds[i] !== undefined && lossOf(kinds[i]) > 0 ? paint.red(line(row)) : line(row))),
    paint.bold(line(totalRow)),
    ...(hidden.length === 0 ? [] : [paint.dim(`  none: ${hidden.join(', ')}`)]),
  ];
}

/** The columns before the numbers: lane and event. */
const NAME_COLUMNS = 2;

const cell = (count: number): string => (count === 0 ? '·' : grouped(count));

function numbersOf(account: KindAccount): number[] {
  const columns = DROP_OUTCOMES.map(({ causes }) => sumOfDrops(account, causes));
  const accounted = columns.reduce((sum, count) => sum + count, account.sent);
  return [account.seen, ...columns, account.sent, Math.max(0, account.seen - accounted)];
}

const rowOf = (account: KindAccount): string[] => [
  LANES[account.lane] ?? String(account.lane),
  account.kind,
  ...numbersOf(account).map(cell),
];

const lossOf = (account: KindAccount): number =>
  DROP_OUTCOMES.reduce((sum, { causes, lost }) => sum + (lost ? sumOfDrops(account, causes) : 0), 0);

function laneLines(flow: LaneFlow, paint: Paint): string[] {
  const count = (key: keyof LaneFlow): string => grouped(flow[key]);
  const lost = flow.dropped + flow.malformed;
  const losses = `dropped from a full spool ${count('dropped')} + malformed ${count('malformed')}`;
  const input = `read ${count('taken')} + from the previous spool ${count('earlier')}`;
  const output = `delivered ${count('delivered')} + spooled ${count('waiting')}`;
  const lane = paint.cyan(LANES[flow.lane] ?? String(flow.lane));
  return [
    `  ${lane}: sent ${count('sent')} = read ${count('read')} + in the ring ${count('inRing')}`,
    `    since the agent started: ${input} = ${output} + ${lost > 0 ? paint.red(losses) : losses} + in flight ${count('underWay')}`,
  ];
}
