import type { Paint } from '@ringfence/base';
import type { Status } from '@ringfence/runtime/status';
import { bytesText, counted, grouped } from '../shared/numbers.ts';

/** One process of a fleet as it was just asked. */
export interface MemberStatus {
  readonly name: string;
  readonly state: 'up' | 'down' | 'silent';
  readonly status: Status | null;
}

/** What of a service's counts tells most. */
const TELLING: Readonly<Record<string, readonly string[]>> = {
  collector: ['hosts', 'streams', 'events', 'orders'],
  enricher: ['events'],
  detector: ['events', 'alerts'],
  responder: ['records'],
  auditor: ['records', 'events'],
  registrar: ['enrolled'],
};

type Stats = Readonly<Record<string, unknown>>;

const countOf = (stats: unknown, key: string): number => {
  const value = (stats as Stats | undefined)?.[key];
  return typeof value === 'number' ? value : 0;
};

/** The fleet in a line. `seconds`: since `before`; `incidents`: that were heard of. */
export function fleetSummary(
  paint: Paint,
  now: readonly MemberStatus[],
  before: readonly MemberStatus[],
  seconds: number,
  incidents: number,
): string {
  const hosts = sum(now, (name, { stats }) => (name === 'collector' ? countOf(stats, 'hosts') || 1 : 0));
  const events = sum(now, (name, { stats }) => (name === 'enricher' ? countOf(stats, 'events') : 0));
  const earlier = sum(before, (name, { stats }) => (name === 'enricher' ? countOf(stats, 'events') : 0));
  const lag = sum(now, (name, service) => (name === 'collector' ? 0 : service.lag));
  const alerts = sum(now, (name, { stats }) => (name === 'detector' ? countOf(stats, 'alerts') : 0));
  const rate = before.length === 0 || seconds === 0 ? 0 : Math.max(0, events - earlier) / seconds;
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
  of: (name: string, service: Status['services'][number]) => number,
): number {
  const services = members.flatMap(({ status }) => status?.services ?? []);
  return services.reduce((total, service) => total + of(service.name, service), 0);
}

/** A line for each process: what it does, how fast, how far behind. `seconds`: since `before`. */
export function fleetLines(
  paint: Paint,
  now: readonly MemberStatus[],
  before: readonly MemberStatus[],
  seconds: number,
): string[] {
  const earlier = new Map(before.map((member) => [member.name, member]));
  const width = Math.max(0, ...now.map(({ name }) => name.length));
  return now.map((member) => {
    const name = member.name.padEnd(width);
    if (member.status === null)
      return `  ${paint.red('●')} ${name}  ${paint.red(member.state === 'down' ? 'down' : 'does not answer')}`;
    return `  ${paint.green('●')} ${name}  ${cellsOf(paint, member.status, earlier.get(member.name)?.status ?? null, seconds)}`;
  });
}

function cellsOf(paint: Paint, status: Status, before: Status | null, seconds: number): string {
  const cells = status.services.flatMap(({ name, lag, stats }) => {
    const was = before?.services.find((service) => service.name === name)?.stats;
    const has = (key: string): boolean => typeof (stats as Stats | undefined)?.[key] === 'number';
    const told = (TELLING[name] ?? []).filter(has).map((key) => {
      const count = countOf(stats, key);
      const rate = was === undefined ? 0 : Math.max(0, count - countOf(was, key)) / seconds;
      return `${grouped(count)} ${key}${rate >= 1 ? ` (${grouped(rate)}/s)` : ''}`;
    });
    const behind =
      name === 'collector' ? `${has('hosts') ? 'spooled' : 'in rings'} ${bytesText(lag)}` : `lag ${grouped(lag)}`;
    return [...told, lag > 100 && name !== 'collector' ? paint.yellow(behind) : behind];
  });
  return [...cells, bytesText(status.rssBytes)].join(paint.dim(' · '));
}
