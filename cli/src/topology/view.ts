import type { Paint } from '@ringfence/base';
import type { GroupMember, GroupView, TopicLag } from '@ringfence/bus/topics';
import { escapeText } from '@ringfence/schema';
import { counted, grouped } from '../shared/numbers.ts';

const LATE = 1000;

/** Each group of services below the topics it reads, with what is missing. `seconds` since `before`; 0: there is none, so no rates. */
export function topologyLines(
  paint: Paint,
  groups: readonly GroupView[],
  before: readonly GroupView[],
  seconds: number,
): string[] {
  const ends = new Map(before.flatMap(({ topics }) => topics.map(({ topic, end }) => [topic, end] as const)));
  const width = Math.max(...groups.flatMap(({ topics }) => topics.map(({ topic }) => topic.length)), 0);
  return groups.flatMap((group) => [
    paint.bold(group.group) + paint.dim(`  ${stateOf(group)}`),
    ...group.topics.map((topic) => `  ${topicLine(paint, topic, width, rateOf(topic, ends, seconds))}`),
    ...membersOf(paint, group),
    '',
  ]);
}

function stateOf({ state, members }: GroupView): string {
  if (state === 'Forbidden') return 'this user may not describe the group';
  if (members.length === 0) return 'nobody is in this group';
  return `${counted(members.length, 'member')}${state === 'Stable' ? '' : `, ${state}`}`;
}

function rateOf({ topic, end }: TopicLag, ends: ReadonlyMap<string, number>, seconds: number): string {
  const was = ends.get(topic);
  if (was === undefined || seconds === 0) return '';
  return `${grouped(Math.max(0, end - was) / seconds)}/s`;
}

function topicLine(paint: Paint, { topic, partitions, lag, unowned }: TopicLag, width: number, rate: string): string {
  const behind = `lag ${grouped(lag)}`;
  const cells = [
    counted(partitions, 'partition'),
    lag > LATE ? paint.yellow(behind) : behind,
    rate,
    unowned.length === 0 ? '' : paint.red(`without owner: ${ranges(unowned)}`),
  ];
  return `${paint.dim('←')} ${topic.padEnd(width)}  ${cells.filter((cell) => cell !== '').join(paint.dim(' · '))}`;
}

function membersOf(paint: Paint, { members }: GroupView): string[] {
  const named = members.map((member) => ({
    ...member,
    client: escapeText(member.client),
    host: escapeText(member.host),
  }));
  const sorted = named.sort((a, b) => (a.client < b.client ? -1 : 1));
  const width = Math.max(...sorted.map(({ client }) => client.length), 0);
  return sorted.map((member) => `  ${paint.green('●')} ${memberLine(paint, member, width)}`);
}

const memberLine = (paint: Paint, { client, host, partitions }: GroupMember, width: number): string =>
  `${client.padEnd(width)}  ${partitions.length === 0 ? paint.dim('no partition') : `partitions ${ranges(partitions)}`}${paint.dim(` · ${host}`)}`;

/** 0-3, 7 */
function ranges(ascending: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const one of ascending) {
    const last = parts.at(-1);
    if (last !== undefined && last[1] === one - 1) last[1] = one;
    else parts.push([one, one]);
  }
  return parts.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(', ');
}
