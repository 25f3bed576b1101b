import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatOutput } from '../src/explain/output.ts';
import type { SequenceMatch } from '../src/model/sequence.ts';
import { RuleMemory } from '../src/state/memory.ts';
import { compile, createTestEvent } from './support/compile.ts';
import type { TestEvent } from './support/events.ts';

const SECOND = 1_000_000;

/** A sequence of events: kind, key, time in seconds. */
type Happening = readonly [kindName: string, key: string, at: number, more?: Readonly<Record<string, string | number>>];

const KINDS: Readonly<Record<string, string>> = { a: 'exec', b: 'connect', c: 'open', m: 'credentials', x: 'exit' };

function eventOf([kindName, key, at, more]: Happening, number: number): TestEvent {
  const kind = KINDS[kindName] ?? kindName;
  return createTestEvent(kind, {
    'event.id': `${kindName}${at}`,
    'process.entity_id': key,
    'user.id': number,
    ...more,
  });
}

interface Reported {
  readonly lines: string[];
  readonly matches: SequenceMatch[];
}

/**
 * Plays events against a rule with this condition. Returns a line for each alert with the ids of its events. Ticks are
 * `tick`.
 */
function play(condition: string, happenings: readonly Happening[], memory = new RuleMemory(), more = ''): Reported {
  const text = `- rule: r\n  condition: >\n    ${condition.trim().replaceAll('\n', '\n    ')}\n${more}`;
  const set = compile(text, { memory });
  assert.deepEqual(set.diagnostics, []);
  const reported: Reported = { lines: [], matches: [] };
  for (const [number, happening] of happenings.entries()) {
    const event = eventOf(happening, number);
    const take = (_: unknown, match?: SequenceMatch): void => {
      reported.matches.push(match!);
      reported.lines.push(match!.steps.map(({ events }) => events.join('+')).join(' '));
    };
    set.matcher.match(event, take, happening[2] * SECOND);
    if (happening[0] === 'tick') memory.tick(set.rules, happening[2] * SECOND, take);
  }
  return reported;
}

const AB = `sequence by process.entity_id with maxspan=10s
  [ event.action = exec ] [ event.action = connect ]`;
const ABC = `${AB} [ event.action = open ]`;

describe('a sequence', () => {
  test('is its steps in order, for one key, within the span', () => {
    const happenings: Happening[] = [
      ['a', 'p', 1],
      ['b', 'q', 2],
      ['b', 'p', 3],
      ['b', 'p', 4],
      ['b', 'r', 5],
      ['a', 'r', 6],
      ['a', 's', 10],
      ['b', 's', 20],
      ['a', 't', 30],
      ['b', 't', 40.1],
    ];
    assert.deepEqual(play(AB, happenings).lines, ['a1 b3', 'a10 b20']);
  });

  test('continues from the newest first step', () => {
    const happenings: Happening[] = [
      ['a', 'p', 1],
      ['a', 'p', 2],
      ['b', 'p', 3],
      ['b', 'p', 4],
    ];
    assert.deepEqual(play(AB, happenings).lines, ['a2 b3']);
  });

  test('keeps a longer partial sequence when it starts again', () => {
    const happenings: Happening[] = [
      ['a', 'p', 1],
      ['b', 'p', 2],
      ['a', 'p', 3],
      ['c', 'p', 4],
      ['b', 'p', 5],
      ['c', 'p', 6],
    ];
    assert.deepEqual(play(ABC, happenings).lines, ['a1 b2 c4', 'a3 b5 c6']);
  });

  test('joins steps by different fields', () => {
    const condition = `sequence by user.name with maxspan=1m
      [ event.action = exec ] by process.entity_id
      [ event.action = connect ] by process.parent.entity_id`;
    const parent = (id: string) => ({ 'process.parent.entity_id': id, 'user.name': 'u' });
    const happenings: Happening[] = [
      ['a', 'p', 1, parent('init')],
      ['b', 'q', 2, parent('p')],
      ['b', 'p', 3, parent('init')],
      ['a', 'x', 4, { 'user.name': 'u' }],
      ['b', 'y', 5, { ...parent('x'), 'user.name': 'v' }],
    ];
    assert.deepEqual(play(condition, happenings).lines, ['a1 b2']);
  });

  test('ignores events without the fields that join it', () => {
    const condition = AB.replace('process.entity_id', 'user.name');
    const happenings: Happening[] = [
      ['a', 'p', 1],
      ['b', 'p', 2],
    ];
    assert.deepEqual(play(condition, happenings).lines, []);
  });

  test('without `by` covers all events', () => {
    const condition = AB.replace('by process.entity_id', '');
    const happenings: Happening[] = [
      ['a', 'p', 1],
      ['b', 'q', 2],
    ];
    assert.deepEqual(play(condition, happenings).lines, ['a1 b2']);
  });

  test('needs runs of events, and counts merged events by their weight', () => {
    const condition = `sequence by process.entity_id with maxspan=10s
      [ event.action = authentication_failed ] with runs=3 [ event.action = exec ]`.replace(
      'authentication_failed',
      'fork',
    );
    const happenings: Happening[] = [
      ['fork', 'p', 1],
      ['fork', 'p', 2],
      ['a', 'p', 3],
      ['fork', 'p', 4],
      ['a', 'p', 5],
      ['fork', 'p', 6],
      ['a', 'p', 7],
      ['fork', 'q', 8, { 'event.count': 3 }],
      ['a', 'q', 9],
    ];
    const { lines, matches } = play(condition, happenings);
    assert.deepEqual(lines, ['fork1+fork2+fork4 a5', 'fork8 a9']);
    assert.deepEqual(
      matches.map(({ steps }) => steps[0]?.count),
      [3, 3],
    );
  });

  test('of one step needs its runs, and uses each event once', () => {
    const condition = 'sequence by process.entity_id with maxspan=10s [ event.action = exec ] with runs=2';
    const happenings = [1, 2, 3, 4, 20, 31, 32].map((at): Happening => ['a', 'p', at]);
    assert.deepEqual(play(condition, happenings).lines, ['a1+a2', 'a3+a4', 'a31+a32']);
  });

  test('counts a run from the step before it, and an older start may complete first', () => {
    const condition = `sequence by process.entity_id with maxspan=20s
      [ event.action = exec ] [ event.action = connect ] with runs=3`;
    const happenings: Happening[] = [
      ['b', 'p', 1],
      ['a', 'p', 2],
      ['b', 'p', 3],
      ['a', 'p', 4],
      ['b', 'p', 5],
      ['b', 'p', 6],
      ['b', 'p', 7],
    ];
    assert.deepEqual(play(condition, happenings).lines, ['a2 b3+b5+b6']);
  });

  test('ends with `until`', () => {
    const happenings: Happening[] = [
      ['a', 'p', 1],
      ['x', 'p', 2],
      ['b', 'p', 3],
      ['a', 'q', 4],
      ['x', 'p', 5],
      ['b', 'q', 6],
    ];
    assert.deepEqual(play(`${AB} until [ event.action = exit ]`, happenings).lines, ['a4 b6']);
  });

  test('in any order needs each step once within the span', () => {
    const condition = ABC.replace('sequence', 'sequence any order');
    const happenings: Happening[] = [
      ['c', 'p', 1],
      ['a', 'p', 2],
      ['b', 'q', 3],
      ['b', 'p', 11],
      ['b', 'p', 12],
      ['c', 'q', 13.5],
      ['a', 'q', 13.6],
    ];
    assert.deepEqual(play(condition, happenings).lines, ['a2 b11 c1']);
  });
});

describe('a step that must be missing', () => {
  test('in between ends the sequences that wait there', () => {
    const condition = AB.replace('] [', '] ![ event.action = credentials ] [');
    const happenings: Happening[] = [
      ['a', 'p', 1],
      ['m', 'p', 2],
      ['b', 'p', 3],
      ['m', 'p', 4],
      ['a', 'p', 5],
      ['b', 'p', 6],
      ['m', 'p', 7],
    ];
    assert.deepEqual(play(condition, happenings).lines, ['a5 b6']);
  });

  test('at the start must not happen within the span before the first step', () => {
    const condition = AB.replace('[', '![ event.action = credentials ] [');
    const happenings: Happening[] = [
      ['m', 'p', 1],
      ['a', 'p', 2],
      ['b', 'p', 3],
      ['a', 'p', 12],
      ['b', 'p', 13],
      ['m', 'p', 14],
    ];
    assert.deepEqual(play(condition, happenings).lines, ['a12 b13']);
  });

  test('at the end is reported by a tick after the span', () => {
    const condition = `${AB} ![ event.action = credentials ]`;
    const happenings: Happening[] = [
      ['a', 'p', 1],
      ['b', 'p', 2],
      ['a', 'q', 3],
      ['b', 'q', 4],
      ['m', 'q', 12],
      ['tick', '', 13],
      ['tick', '', 14],
      ['tick', '', 16],
    ];
    assert.deepEqual(play(condition, happenings).lines, ['a1 b2']);
    assert.deepEqual(play(condition, happenings.slice(0, -2)).lines, [], 'an event may come late');
  });

  test('at the end is over with the span, whatever comes before the reporting tick', () => {
    const condition = `${AB} ![ event.action = credentials ]`;
    const happenings: Happening[] = [
      ['a', 'p', 1],
      ['b', 'p', 2],
      ['m', 'p', 11.2],
      ['a', 'p', 11.4],
      ['b', 'p', 11.6],
      ['tick', '', 13.5],
      ['tick', '', 24],
    ];
    assert.deepEqual(play(condition, happenings).lines, ['a1 b2', 'a11.4 b11.6']);
  });
});

describe('steps that are compared', () => {
  const condition = `sequence by process.entity_id with maxspan=1m
    [ event.action = open ] as $written
    [ event.action = exec and process.executable = $written.file.path ] as $run
    [ event.action = exec and process.parent.name != $run.process.name ]`;
  const open = (path: string) => ({ 'file.path': path });
  const exec = (path: string, name: string, parent: string) => ({
    'process.executable': path,
    'process.name': name,
    'process.parent.name': parent,
  });

  test('count only events of a run that satisfy the comparison', () => {
    const runs = `sequence by process.entity_id with maxspan=1m
      [ event.action = open ] as $written
      [ event.action = exec and process.executable = $written.file.path ] with runs=2`;
    const happenings: Happening[] = [
      ['c', 'p', 1, open('/tmp/x')],
      ['a', 'p', 2, exec('/bin/ls', 'ls', 'sh')],
      ['a', 'p', 3, exec('/tmp/x', 'x', 'sh')],
      ['a', 'p', 4, exec('/bin/ls', 'ls', 'sh')],
      ['a', 'p', 5, exec('/tmp/x', 'x', 'sh')],
      ['a', 'p', 6, exec('/tmp/x', 'x', 'sh')],
    ];
    const { lines, matches } = play(runs, happenings);
    assert.deepEqual(lines, ['c1 a3+a5']);
    assert.equal(matches[0]?.steps[1]?.count, 2);
  });

  test('can name values of an earlier step', () => {
    const happenings: Happening[] = [
      ['c', 'p', 1, open('/tmp/x')],
      ['c', 'p', 2, open('/tmp/y')],
      ['a', 'p', 3, exec('/bin/ls', 'ls', 'sh')],
      ['a', 'p', 4, exec('/tmp/x', 'x', 'sh')],
      ['a', 'p', 5, exec('/bin/ls', 'ls', 'x')],
      ['a', 'p', 6, exec('/bin/ls', 'ls', 'sh')],
    ];
    const more = '  output: "%1.file.path %$run.process.name %process.name %%1.x"\n';
    const { lines, matches } = play(condition, happenings, new RuleMemory(), more);
    assert.deepEqual(lines, ['c1 a4 a6']);
    const set = compile(`- rule: r\n  condition: >\n    ${condition}\n${more}`);
    assert.equal(formatOutput(set.rules[0]!, eventOf(happenings[5]!, 5), matches[0]), '/tmp/x x ls %1.x');
  });

  test('a flood of other values evicts no more than necessary', () => {
    const flood = Array.from({ length: 15 }, (_, i): Happening => ['c', 'p', 2 + i / 100, open(`/tmp/${i}`)]);
    const happenings: Happening[] = [
      ['c', 'p', 1, open('/tmp/x')],
      ...flood,
      ...flood,
      ['a', 'p', 4, exec('/tmp/x', 'x', 'sh')],
      ['a', 'p', 6, exec('/bin/ls', 'ls', 'sh')],
    ];
    assert.deepEqual(play(condition, happenings).lines, ['c1 a4 a6']);
  });
});
