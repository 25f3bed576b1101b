import type { Paint } from '@ringfence/base';
import type { GroupMember, GroupView, TopicLag } from '@ringfence/bus-kafka/topics';
import { escapeText } from '@ringfence/wire';
import { counted, grouped } from '../shared/numbers.ts';

/** A larger lag, in records, is highlighted. */
const LATE = 1000;

/**
 * Formats each consumer group with its topics and members. `seconds`: since `previous`; 0 without a previous state,
 * which hides the rates.
 */
export function topologyLines(
  paint: Paint,
  groups: readonly GroupView[],
  previous: readonly GroupView[],
  seconds: number,
): string[] {
  const ends = new Map(previous.flatMap(({ topics }) => topics.map(({ topic, end }) => [topic, end] as const)));
  const width = Math.max(...groups.flatMap(({ topics }) => topics.map(({ topic }) => topic.length)), 0);
  return groups.flatMap((group) => [
    paint.bold(group.group) + paint.dim(`  ${stateOf(group)}`),
    ...group.topics.map((topic) => `  ${topicLine(paint, topic, width, rateOf(topic, ends, seconds))}`),
    ...membersOf(paint, group),
    '',
  ]);
}

function stateOf({ state, members }: GroupView): string {
  if (state === 'Forbidden') return 'this user is not allowed to describe the group';
  if (members.length === 0) return 'no members';
  return `${counted(members.length, 'member')}${state === 'Stable' ? '' : `, ${state}`}`;
}

function rateOf({ topic, end }: TopicLag, ends: ReadonlyMap<string, number>, seconds: number): string {
  const previousEnd = ends.get(topic);
  if (previousEnd === undefined || seconds === 0) return '';
  return `${grouped(Math.max(0, end - previousEnd) / seconds)}/s`;
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

function memberLine(paint: Paint, { client, host, partitions }: GroupMember, width: number): string {
  const owned = partitions.length === 0 ? paint.dim('no partition') : `partitions ${ranges(partitions)}`;
  return `${client.padEnd(width)}  ${owned}${paint.dim(` · ${host}`)}`;
}

/** Formats partition numbers as ranges: "0-3, 7". */
function ranges(ascending: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const number of ascending) {
    const last = parts.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else parts.push([number, number]);
  }
  return parts.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(', ');
}
