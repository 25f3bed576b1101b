import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatOutput } from '../src/explain/output.ts';
import type { SequenceMatch } from '../src/model/sequence.ts';
import { RuleMemory } from '../src/state/memory.ts';
import { compile, createTestEvent } from './support/compile.ts';
import type { TestEvent } from './support/events.ts';

const SECOND = 1_000_000;

/** A life of events: what happened, to whom, when (in seconds). */
type Deed = readonly [what: string, whom: string, at: number, more?: Readonly<Record<string, string | number>>];

const KINDS: Readonly<Record<string, string>> = { a: 'exec', b: 'connect', c: 'open', m: 'credentials', x: 'exit' };

function deed([what, whom, at, more]: Deed, number: number): TestEvent {
  const kind = KINDS[what] ?? what;
  return createTestEvent(kind, { 'event.id': `${what}${at}`, 'process.entity_id': whom, 'user.id': number, ...more });
}

interface Told {
  readonly lines: string[];
  readonly matches: SequenceMatch[];
}

/** What a rule with this condition says: a line for each alert, the ids of its events. Ticks are `tick`. */
function play(condition: string, deeds: readonly Deed[], memory = new RuleMemory(), more = ''): Told {
  const text = `- rule: r\n  condition: >\n    ${condition.trim().replaceAll('\n', '\n    ')}\n${more}`;
  const set = compile(text, { memory });
  assert.deepEqual(set.diagnostics, []);
  const told: Told = { lines: [], matches: [] };
  for (const [number, one] of deeds.entries()) {
    const event = deed(one, number);
    const take = (_: unknown, match?: SequenceMatch): void => {
      told.matches.push(match!);
      told.lines.push(match!.steps.map(({ events }) => events.join('+')).join(' '));
    };
    set.matcher.match(event, take, one[2] * SECOND);
    if (one[0] === 'tick') memory.tick(set.rules, one[2] * SECOND, take);
  }
  return told;
}

const AB = `sequence by process.entity_id with maxspan=10s
  [ event.action = exec ] [ event.action = connect ]`;
const ABC = `${AB} [ event.action = open ]`;

describe('a sequence', () => {
  test('is its steps in order, for one key, within the span', () => {
    const deeds: Deed[] = [
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
    assert.deepEqual(play(AB, deeds).lines, ['a1 b3', 'a10 b20']);
  });

  test('continues from the newest first step', () => {
    const deeds: Deed[] = [
      ['a', 'p', 1],
      ['a', 'p', 2],
      ['b', 'p', 3],
      ['b', 'p', 4],
    ];
    assert.deepEqual(play(AB, deeds).lines, ['a2 b3']);
  });

  test('keeps a longer partial sequence when it starts again', () => {
    const deeds: Deed[] = [
      ['a', 'p', 1],
      ['b', 'p', 2],
      ['a', 'p', 3],
      ['c', 'p', 4],
      ['b', 'p', 5],
      ['c', 'p', 6],
    ];
    assert.deepEqual(play(ABC, deeds).lines, ['a1 b2 c4', 'a3 b5 c6']);
  });

  test('joins steps by different fields', () => {
    const condition = `sequence by user.name with maxspan=1m
      [ event.action = exec ] by process.entity_id
      [ event.action = connect ] by process.parent.entity_id`;
    const parent = (id: string) => ({ 'process.parent.entity_id': id, 'user.name': 'u' });
    const deeds: Deed[] = [
      ['a', 'p', 1, parent('init')],
      ['b', 'q', 2, parent('p')],
      ['b', 'p', 3, parent('init')],
      ['a', 'x', 4, { 'user.name': 'u' }],
      ['b', 'y', 5, { ...parent('x'), 'user.name': 'v' }],
    ];
    assert.deepEqual(play(condition, deeds).lines, ['a1 b2']);
  });

  test('ignores events without the fields that join it', () => {
    const condition = AB.replace('process.entity_id', 'user.name');
    const deeds: Deed[] = [
      ['a', 'p', 1],
      ['b', 'p', 2],
    ];
    assert.deepEqual(play(condition, deeds).lines, []);
  });

  test('without `by` covers all events', () => {
    const condition = AB.replace('by process.entity_id', '');
    const deeds: Deed[] = [
      ['a', 'p', 1],
      ['b', 'q', 2],
    ];
    assert.deepEqual(play(condition, deeds).lines, ['a1 b2']);
  });

  test('needs runs of events, and counts merged events by their weight', () => {
    const condition = `sequence by process.entity_id with maxspan=10s
      [ event.action = authentication_failed ] with runs=3 [ event.action = exec ]`.replace(
      'authentication_failed',
      'fork',
    );
    const deeds: Deed[] = [
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
    const { lines, matches } = play(condition, deeds);
    assert.deepEqual(lines, ['fork1+fork2+fork4 a5', 'fork8 a9']);
    assert.deepEqual(
      matches.map(({ steps }) => steps[0]?.count),
      [3, 3],
    );
  });

  test('of one step needs its runs, and uses each event once', () => {
    const condition = 'sequence by process.entity_id with maxspan=10s [ event.action = exec ] with runs=2';
    const deeds = [1, 2, 3, 4, 20, 31, 32].map((at): Deed => ['a', 'p', at]);
    assert.deepEqual(play(condition, deeds).lines, ['a1+a2', 'a3+a4', 'a31+a32']);
  });

  test('counts a run from the step before it, and an older start may complete first', () => {
    const condition = `sequence by process.entity_id with maxspan=20s
      [ event.action = exec ] [ event.action = connect ] with runs=3`;
    const deeds: Deed[] = [
      ['b', 'p', 1],
      ['a', 'p', 2],
      ['b', 'p', 3],
      ['a', 'p', 4],
      ['b', 'p', 5],
      ['b', 'p', 6],
      ['b', 'p', 7],
    ];
    assert.deepEqual(play(condition, deeds).lines, ['a2 b3+b5+b6']);
  });

  test('ends with `until`', () => {
    const deeds: Deed[] = [
      ['a', 'p', 1],
      ['x', 'p', 2],
      ['b', 'p', 3],
      ['a', 'q', 4],
      ['x', 'p', 5],
      ['b', 'q', 6],
    ];
    assert.deepEqual(play(`${AB} until [ event.action = exit ]`, deeds).lines, ['a4 b6']);
  });

  test('in any order needs each step once within the span', () => {
    const condition = ABC.replace('sequence', 'sequence any order');
    const deeds: Deed[] = [
      ['c', 'p', 1],
      ['a', 'p', 2],
      ['b', 'q', 3],
      ['b', 'p', 11],
      ['b', 'p', 12],
      ['c', 'q', 13.5],
      ['a', 'q', 13.6],
    ];
    assert.deepEqual(play(condition, deeds).lines, ['a2 b11 c1']);
  });
});

describe('a step that must be missing', () => {
  test('in between ends the sequences that wait there', () => {
    const condition = AB.replace('] [', '] ![ event.action = credentials ] [');
    const deeds: Deed[] = [
      ['a', 'p', 1],
      ['m', 'p', 2],
      ['b', 'p', 3],
      ['m', 'p', 4],
      ['a', 'p', 5],
      ['b', 'p', 6],
      ['m', 'p', 7],
    ];
    assert.deepEqual(play(condition, deeds).lines, ['a5 b6']);
  });

  test('at the start must not happen within the span before the first step', () => {
    const condition = AB.replace('[', '![ event.action = credentials ] [');
    const deeds: Deed[] = [
      ['m', 'p', 1],
      ['a', 'p', 2],
      ['b', 'p', 3],
      ['a', 'p', 12],
      ['b', 'p', 13],
      ['m', 'p', 14],
    ];
    assert.deepEqual(play(condition, deeds).lines, ['a12 b13']);
  });

  test('at the end is reported by a tick after the span', () => {
    const condition = `${AB} ![ event.action = credentials ]`;
    const deeds: Deed[] = [
      ['a', 'p', 1],
      ['b', 'p', 2],
      ['a', 'q', 3],
      ['b', 'q', 4],
      ['m', 'q', 12],
      ['tick', '', 13],
      ['tick', '', 14],
      ['tick', '', 16],
    ];
    assert.deepEqual(play(condition, deeds).lines, ['a1 b2']);
    assert.deepEqual(play(condition, deeds.slice(0, -2)).lines, [], 'an event may come late');
  });

  test('at the end is over with the span, whatever comes before the reporting tick', () => {
    const condition = `${AB} ![ event.action = credentials ]`;
    const deeds: Deed[] = [
      ['a', 'p', 1],
      ['b', 'p', 2],
      ['m', 'p', 11.2],
      ['a', 'p', 11.4],
      ['b', 'p', 11.6],
      ['tick', '', 13.5],
      ['tick', '', 24],
    ];
    assert.deepEqual(play(condition, deeds).lines, ['a1 b2', 'a11.4 b11.6']);
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
    const deeds: Deed[] = [
      ['c', 'p', 1, open('/tmp/x')],
      ['a', 'p', 2, exec('/bin/ls', 'ls', 'sh')],
      ['a', 'p', 3, exec('/tmp/x', 'x', 'sh')],
      ['a', 'p', 4, exec('/bin/ls', 'ls', 'sh')],
      ['a', 'p', 5, exec('/tmp/x', 'x', 'sh')],
      ['a', 'p', 6, exec('/tmp/x', 'x', 'sh')],
    ];
    const { lines, matches } = play(runs, deeds);
    assert.deepEqual(lines, ['c1 a3+a5']);
    assert.equal(matches[0]?.steps[1]?.count, 2);
  });

  test('can name values of an earlier step', () => {
    const deeds: Deed[] = [
      ['c', 'p', 1, open('/tmp/x')],
      ['c', 'p', 2, open('/tmp/y')],
      ['a', 'p', 3, exec('/bin/ls', 'ls', 'sh')],
      ['a', 'p', 4, exec('/tmp/x', 'x', 'sh')],
      ['a', 'p', 5, exec('/bin/ls', 'ls', 'x')],
      ['a', 'p', 6, exec('/bin/ls', 'ls', 'sh')],
    ];
    const more = '  output: "%1.file.path %$run.process.name %process.name %%1.x"\n';
    const { lines, matches } = play(condition, deeds, new RuleMemory(), more);
    assert.deepEqual(lines, ['c1 a4 a6']);
    const set = compile(`- rule: r\n  condition: >\n    ${condition}\n${more}`);
    assert.equal(formatOutput(set.rules[0]!, deed(deeds[5]!, 5), matches[0]), '/tmp/x x ls %1.x');
  });

  test('a flood of other values evicts no more than necessary', () => {
    const flood = Array.from({ length: 15 }, (_, i): Deed => ['c', 'p', 2 + i / 100, open(`/tmp/${i}`)]);
    const deeds: Deed[] = [
      ['c', 'p', 1, open('/tmp/x')],
      ...flood,
      ...flood,
      ['a', 'p', 4, exec('/tmp/x', 'x', 'sh')],
      ['a', 'p', 6, exec('/bin/ls', 'ls', 'sh')],
    ];
    assert.deepEqual(play(condition, deeds).lines, ['c1 a4 a6']);
  });
});
