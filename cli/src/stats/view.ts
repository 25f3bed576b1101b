import type { Paint } from '@ringfence/base';
import type { CollectorStats, EventAccount, KindAccount, LaneFlow } from '@ringfence/collector';
import { DROP_OUTCOMES, type DropCause, sumOfDrops } from '@ringfence/runtime/status';
import { escapeText } from '@ringfence/schema';
import { grouped } from '../shared/grouped.ts';

const THROTTLED_SHOWN = 20;
const LANES: readonly string[] = ['security', 'bulk'];

const MEANINGS: Readonly<Record<DropCause, string>> = {
  unwatched: 'no rule that is loaded can match it, so it did not leave the kernel',
  self: "the agent's own files and connections",
  owner: 'traffic of a socket whose process is not known: it is older than the sensor, or was forgotten',
  merged:
    'equal to an event sent within the last second: the next one that is sent says in its count how many it stands for',
  throttled:
    'its cgroup had more than its share while the ring was filling up: see sensor.share in docs/CONFIGURATION.md',
  probe_rate: 'a probe of your own fired more often in a second than its perSecond: see ringfence probes list',
  ring_full:
    'nobody read the ring fast enough: each is a hole in the numbers, and told by a gap event: ringfence events --where "event.action = gap"',
  scratch: 'the place where a record is put together was in use by another on the same CPU',
  forgotten: 'a map of the sensor had no room for what was to be told later',
  read_fault: 'sent, but a field could not be read from memory: it is empty',
};

/** Where every event went, from the kernel to the bus: two tables, and what the causes that occurred mean. */
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

/** The noisiest first. */
function throttledLines(throttled: EventAccount['throttled'], paint: Paint): string[] {
  if (throttled.length === 0) return [];
  const noisiest = throttled.toSorted((a, b) => b.count - a.count).slice(0, THROTTLED_SHOWN);
  return [
    '',
    paint.bold('Held back, by cgroup'),
    ...noisiest.map(
      ({ cgroup, path, lane, kind, count }) =>
        `  ${LANES[lane] ?? lane} ${kind} ${grouped(count)} of ${escapeText(path || 'one that is gone')} (cgroup ${cgroup})`,
    ),
  ];
}

function skippedLines(skipped: EventAccount['skipped'], paint: Paint): string[] {
  if (skipped.length === 0) return [];
  return [
    '',
    paint.bold(
      'Lost before they were seen: calls that the kernel skipped, since BPF was at work on that CPU, by program',
    ),
    ...skipped.map(({ program, count }) => paint.red(`  ${program} ${grouped(count)}`)),
  ];
}

/** Those that this kernel doesn't have are no news: `ringfence doctor` tells them. */
function hookLines(
  { missingHooks, retriedHooks }: Pick<CollectorStats, 'missingHooks' | 'retriedHooks'>,
  paint: Paint,
): string[] {
  if (retriedHooks.length === 0) return [];
  return [
    '',
    paint.bold('Hooks that are missing now; each is tried again'),
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
    paint.bold('What failed in the sensor, by place'),
    ...failures.map(({ place, errno, count }) => `  ${place} ${errno} ${grouped(count)}`),
    ...forgotten.map(({ map, entries }) => `  ${map} was full: at least ${grouped(entries)} entries forgotten`),
  ];
}

function kindTable(kinds: readonly KindAccount[], paint: Paint): string[] {
  const head = ['lane', 'event', 'seen', ...DROP_OUTCOMES.map(({ name }) => name), 'sent', 'under way'];
  const rows = kinds.map((account) => rowOf(account));
  const total = kinds.reduce<number[]>((sums, account) => numbersOf(account).map((n, i) => n + (sums[i] ?? 0)), []);
  const last = ['', 'all', ...total.map(cell)];
  // What never occurred takes no room: a terminal of 80 columns has little.
  const isShown = (column: number): boolean => column < NAMES || total[column - NAMES] !== 0;
  const widths = head.map((title, i) => Math.max(title.length, ...[...rows, last].map((row) => row[i]?.length ?? 0)));
  const padded = (text: string, i: number): string =>
    i < NAMES ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0);
  const line = (row: readonly string[]): string =>
    `  ${row
      .map(padded)
      .filter((_, i) => isShown(i))
      .join('  ')}`;
  const absent = head.filter((_, i) => !isShown(i));
  return [
    paint.dim(line(head)),
    ...rows.map((row, i) => (kinds[i] !== undefined && lossOf(kinds[i]) > 0 ? paint.red(line(row)) : line(row))),
    paint.bold(line(last)),
    ...(absent.length === 0 ? [] : [paint.dim(`  none: ${absent.join(', ')}`)]),
  ];
}

/** Columns in front of the numbers: lane and event. */
const NAMES = 2;
const cell = (count: number): string => (count === 0 ? '·' : grouped(count));
function numbersOf(account: KindAccount): number[] {
  const columns = DROP_OUTCOMES.map(({ causes }) => sumOfDrops(account, causes));
  const gone = columns.reduce((sum, count) => sum + count, account.sent);
  return [account.seen, ...columns, account.sent, Math.max(0, account.seen - gone)];
}

const rowOf = (account: KindAccount): string[] => [
  LANES[account.lane] ?? String(account.lane),
  account.kind,
  ...numbersOf(account).map(cell),
];

const lossOf = (account: KindAccount): number =>
  DROP_OUTCOMES.reduce((sum, { causes, lost }) => sum + (lost ? sumOfDrops(account, causes) : 0), 0);

function laneLines(flow: LaneFlow, paint: Paint): string[] {
  const of = (key: keyof LaneFlow): string => grouped(flow[key]);
  const lost = flow.dropped + flow.malformed;
  const losses = `dropped from a full spool ${of('dropped')} + malformed ${of('malformed')}`;
  return [
    `  ${paint.cyan(LANES[flow.lane] ?? String(flow.lane))}: sent ${of('sent')} = read ${of('read')} + still in the ring ${of('inRing')}`,
    `    since this start: read ${of('taken')} + left over from before ${of('earlier')} = delivered ${of('delivered')} + spooled ${of('waiting')} + ${lost > 0 ? paint.red(losses) : losses} + under way ${of('underWay')}`,
  ];
}
