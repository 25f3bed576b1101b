import type { Paint } from '@ringfence/base';
import type { Status } from '@ringfence/runtime/status';
import { bytesText, counted, grouped } from '../shared/numbers.ts';

/** The status of one process of a fleet at one moment. */
export interface MemberStatus {
  readonly name: string;
  readonly state: 'up' | 'down' | 'silent';
  readonly status: Status | null;
}

/** Counters to show for each service. */
const COUNTERS: Readonly<Record<string, readonly string[]>> = {
  collector: ['hosts', 'streams', 'events', 'orders'],
  enricher: ['events'],
  detector: ['events', 'alerts'],
  responder: ['records'],
  auditor: ['records', 'events'],
  registrar: ['enrolled'],
};

/** A larger lag, in records, is highlighted. */
const LATE = 100;

type Stats = Readonly<Record<string, unknown>>;

const countOf = (stats: unknown, key: string): number => {
  const value = (stats as Stats | undefined)?.[key];
  return typeof value === 'number' ? value : 0;
};

/** Formats the fleet as one line. `seconds`: since `previous`; `incidents`: number of incidents so far. */
export function fleetSummary(
  paint: Paint,
  current: readonly MemberStatus[],
  previous: readonly MemberStatus[],
  seconds: number,
  incidents: number,
): string {
  const eventsOf = (members: readonly MemberStatus[]): number =>
    sum(members, (name, { stats }) => (name === 'enricher' ? countOf(stats, 'events') : 0));
  const hosts = sum(current, (name, { stats }) => (name === 'collector' ? countOf(stats, 'hosts') || 1 : 0));
  const lag = sum(current, (name, service) => (name === 'collector' ? 0 : service.lag));
  const alerts = sum(current, (name, { stats }) => (name === 'detector' ? countOf(stats, 'alerts') : 0));
  const hasRate = previous.length > 0 && seconds > 0;
  const rate = hasRate ? Math.max(0, eventsOf(current) - eventsOf(previous)) / seconds : 0;
  return [
    paint.bold(counted(hosts, 'host')),
    `${grouped(rate)} events/s`,
    `lag ${grouped(lag)}`,
    counted(alerts, 'alert'),
    counted(incidents, 'incident'),
  ].join(paint.dim(' · '));
}

function sum(
  members: readonly MemberStatus[],
  measure: (name: string, service: Status['services'][number]) => number,
): number {
  const services = members.flatMap(({ status }) => status?.services ?? []);
  return services.reduce((total, service) => total + measure(service.name, service), 0);
}

/** Formats a line for each process with its counters, rates, lag and memory. `seconds`: since `previous`. */
export function fleetLines(
  paint: Paint,
  current: readonly MemberStatus[],
  previous: readonly MemberStatus[],
  seconds: number,
): string[] {
  const previousByName = new Map(previous.map((member) => [member.name, member]));
  const width = Math.max(0, ...current.map(({ name }) => name.length));
  return current.map((member) => {
    const name = member.name.padEnd(width);
    if (member.status === null)
      return `  ${paint.red('●')} ${name}  ${paint.red(member.state === 'down' ? 'down' : 'does not answer')}`;
    const earlier = previousByName.get(member.name)?.status ?? null;
    return `  ${paint.green('●')} ${name}  ${cellsOf(paint, member.status, earlier, seconds)}`;
  });
}

function cellsOf(paint: Paint, status: Status, previous: Status | null, seconds: number): string {
  const cells = status.services.flatMap(({ name, lag, stats }) => {
    const earlier = previous?.services.find((service) => service.name === name)?.stats;
    const has = (key: string): boolean => typeof (stats as Stats | undefined)?.[key] === 'number';
    const counters = (COUNTERS[name] ?? []).filter(has).map((key) => {
      const count = countOf(stats, key);
      const rate = earlier === undefined ? 0 : Math.max(0, count - countOf(earlier, key)) / seconds;
      return `${grouped(count)} ${key}${rate >= 1 ? ` (${grouped(rate)}/s)` : ''}`;
    });
    const behind =
      name === 'collector' ? `${has('hosts') ? 'spooled' : 'in rings'} ${bytesText(lag)}` : `lag ${grouped(lag)}`;
    return [...counters, lag > LATE && name !== 'collector' ? paint.yellow(behind) : behind];
  });
  return [...cells, bytesText(status.rssBytes)].join(paint.dim(' · '));
}
