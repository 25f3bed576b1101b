import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { writeRules } from '../../src/language/write/write-rules.ts';
import { LIMITS } from '../../src/model/limits.ts';
import { RuleMemory } from '../../src/state/memory.ts';
import { compile, type Event, exec, matches } from './support.ts';

const SECOND = 1_000_000;
/** Seconds from a group's first event until the group is reported. */
const OVER = 60 + LIMITS.latenessUs / SECOND;
const started = `title: Started
name: started
logsource: { product: linux, category: process_creation }
detection: { k: { Image|startswith: / }, condition: k }
`;
const correlation = (body: string): string => `${started}---
title: Many
correlation:
  rules: [started]
  timespan: 60s
  ${body.replaceAll('\n', '\n  ')}
`;
const by = (user: string, parent: number): Event => exec('/bin/x', { 'user.name': user, 'process.parent.pid': parent });

/** Returns the users that are reported after so many seconds. */
function reported(body: string, events: readonly Event[], seconds: number): string[] {
  const memory = new RuleMemory();
  const witness = { keep: (event: Event) => JSON.stringify(event), read: (kept: string) => JSON.parse(kept) as Event };
  const set = compile(correlation(body), { memory: { of: () => memory, isFirst: () => false, witness } });
  assert.deepEqual(set.diagnostics, []);
  assert.deepEqual(matches(set, ...events), []);
  const users: string[] = [];
  const tick = (at: number): void =>
    memory.tick(set.rules, at * SECOND, (_, __, event) => users.push(String(event?.values['user.name'])), witness);
  tick(seconds);
  return users;
}

describe('a correlation of values', () => {
  test('that adds up is reported with the event that reaches its sum', () => {
    const set = compile(
      correlation('type: value_sum\ngroup-by: [User]\ncondition: { field: ParentProcessId, gt: 99 }'),
    );
    assert.deepEqual(set.diagnostics, []);
    assert.deepEqual(matches(set, by('ann', 60), by('bob', 39), by('ann', 39)), []);
    assert.deepEqual(matches(set, by('ann', 1)), ['Many']);
  });

  test('that adds up is reported for a sum barely above its bound, or exactly at it', () => {
    const sum = (bound: string): string =>
      correlation(`type: value_sum\ngroup-by: [User]\ncondition: { field: ParentProcessId, ${bound} }`);
    for (const text of [sum('gt: 99'), writeRules(compile(sum('gt: 99')).rules)]) {
      assert.deepEqual(matches(compile(text), by('ann', 60.5), by('ann', 38.5)), [], 'it is 99');
      assert.deepEqual(matches(compile(text), by('ann', 60.5), by('ann', 38.75)), ['Many']);
    }
    assert.deepEqual(matches(compile(sum('gt: 10000000000')), by('ann', 1e10)), []);
    assert.deepEqual(matches(compile(sum('gt: 10000000000')), by('ann', 1e10), by('ann', 1)), ['Many']);
    for (const text of [sum('gte: 0.5'), writeRules(compile(sum('gte: 0.5')).rules)])
      assert.deepEqual(matches(compile(text), by('ann', 0.25), by('ann', 0.25)), ['Many']);
  });

  const events = [by('ann', 10), by('bob', 100), by('ann', 20), by('bob', 1), by('ann', 90)];
  for (const [body, users] of [
    ['type: value_sum\ngroup-by: [User]\ncondition: { field: ParentProcessId, lt: 110 }', ['bob']],
    ['type: value_avg\ngroup-by: [User]\ncondition: { field: ParentProcessId, gte: 50 }', ['bob']],
    ['type: value_median\ngroup-by: [User]\ncondition: { field: ParentProcessId, lte: 20 }', ['ann']],
    [
      'type: value_percentile\ngroup-by: [User]\ncondition: { field: ParentProcessId, percentile: 95, gt: 95 }',
      ['bob'],
    ],
    ['type: event_count\ngroup-by: [User]\ncondition: { lt: 3 }', ['bob']],
    ['type: event_count\ngroup-by: [User]\ncondition: { lte: 3 }', ['ann', 'bob']],
    ['type: value_count\ngroup-by: [User]\ncondition: { field: ParentProcessId, lt: 3 }', ['bob']],
    ['type: event_count\ngroup-by: [User]\ncondition: { eq: 2 }', ['bob']],
    ['type: event_count\ngroup-by: [User]\ncondition: { gte: 2, lt: 3 }', ['bob']],
    ['type: event_count\ngroup-by: [User]\ncondition: { gte: 1, eq: 3 }', ['ann']],
    ['type: value_count\ngroup-by: [User]\ncondition: { field: ParentProcessId, eq: 2 }', ['bob']],
    ['type: value_sum\ngroup-by: [User]\ncondition: { field: ParentProcessId, gt: 100, lte: 110 }', ['bob']],
  ] as const)
    test(`is reported when its window ends: ${body.replaceAll('\n', ', ')}`, () => {
      assert.deepEqual(reported(body, events, OVER + 1).sort(), [...users]);
      assert.deepEqual(
        reported(body, events, OVER),
        users.filter((user) => user === 'ann'),
        "bob's first event came a second later",
      );
      assert.deepEqual(reported(body, events, OVER - 1), [], 'not before');
    });

  for (const [body, message] of [
    ['type: value_avg\ncondition: { gte: 5 }', /'value_avg' needs a field/],
    ['type: value_avg\ncondition: { field: CommandLine, gte: 5 }', /'process.command_line' is not a number/],
    ['type: value_percentile\ncondition: { field: ParentProcessId, gte: 5 }', /needs a percentile/],
    [
      'type: value_percentile\ncondition: { field: ParentProcessId, percentile: 120, gte: 5 }',
      /from 0 to 100, found '120'/,
    ],
    ['type: value_median\ncondition: { field: ParentProcessId }', /has no comparison/],
    ['type: event_count\ncondition: { lt: 1 }', /no count is within/],
    ['type: event_count\ncondition: { gte: 3, lt: 3 }', /no count is within/],
    ['type: event_count\ncondition: { gt: 2, lt: 3 }', /no count is within/],
    ['type: value_avg\ncondition: { field: ParentProcessId, gte: 3, lt: 3 }', /no number is within/],
    ['type: event_count\ncondition: { neq: 1 }', /'neq' would match nearly everything/],
    ['type: value_count\ncondition: { field: User, lt: 5000 }', /counted up to 1000, this asks for 5000/],
    ['type: value_summ\ncondition: { field: User, lt: 5000 }', /not a type of correlation/],
  ] as const)
    test(`gets an error if it is incomplete or invalid: ${body.replaceAll('\n', ', ')}`, () => {
      const { diagnostics } = compile(correlation(body));
      assert.deepEqual(
        diagnostics.map(({ severity }) => severity),
        ['error'],
      );
      assert.match(`${diagnostics[0]?.message} ${diagnostics[0]?.hint}`, message);
    });

  test("can't be a member of an ordered correlation", () => {
    const few = correlation('type: event_count\ncondition: { lt: 3 }').replace('title: Many', 'title: Few\nname: few');
    const text = `${few}---
title: Then
correlation: { type: temporal_ordered, rules: [few, started], timespan: 1m }
`;
    const { diagnostics } = compile(text);
    assert.deepEqual(
      diagnostics.map(({ severity, line, message }) => [severity, line, message]),
      [['error', 15, "'Few' is not a count of events: it can't be a part of this correlation"]],
    );
  });
});
