import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { explain } from '../src/explain/explain.ts';
import type { FilteredEvents, PathInterest } from '../src/interest/rule-interest.ts';
import type { FieldCatalogue, FieldValue } from '../src/model/catalogue.ts';
import { compileRules } from '../src/rule-set.ts';
import { compile, matches } from './support/compile.ts';
import { catalogue, createTestEvent, kinds, type TestEvent } from './support/events.ts';

/** Few distinct texts of few letters, so that random rules and random events often match. */
const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', 'é'), maxLength: 6 });
const path = fc
  .array(fc.constantFrom('a', 'b', 'etc'), { minLength: 1, maxLength: 3 })
  .map((parts) => `/${parts.join('/')}`);
const quoted = (value: string): string => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
const listOf = (value: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.array(value, { minLength: 1, maxLength: 12 }).map((values) => `(${values.map(quoted).join(', ')})`);

const TEXT_FIELDS = [
  'process.name',
  'process.executable',
  'process.command_line',
  'process.args',
  'file.path',
  'file.name',
  'file.directory',
  'basename(file.path)',
  'tolower(process.name)',
  'proc.aname[1]',
  'proc.aname[0]',
];
const textTest = fc
  .tuple(
    fc.constantFrom(...TEXT_FIELDS),
    fc.constantFrom('', 'not '),
    fc.constantFrom('in', 'contains', 'icontains', 'startswith', 'endswith', 'glob', 'pmatch'),
    listOf(fc.oneof(text, path)),
  )
  .map((parts) => `${parts[0]} ${parts[1]}${parts[2]} ${parts[3]}`);
const globTest = fc
  .tuple(
    fc.constantFrom(...TEXT_FIELDS),
    fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '?'), minLength: 1, maxLength: 5 }),
  )
  .map(([field, pattern]) => `${field} glob ${quoted(pattern)}`);
const regexTest = fc
  .tuple(
    fc.constantFrom(...TEXT_FIELDS),
    fc.constantFrom('a+b', '^/(a|b)', 'ab', 'b$', '.é', 'ab*', 'a{2}b', '(?i)AB', 'a/|b', '[ab]/e?'),
  )
  .map(([field, pattern]) => `${field} regex ${quoted(pattern)}`);
const numberTest = fc
  .tuple(
    fc.constantFrom('user.id', 'destination.port', 'len(process.args)', 'len(process.name)'),
    fc.constantFrom('=', '!=', '<', '<=', '>', '>='),
    fc.nat(4),
  )
  .map((parts) => parts.join(' '));
const otherTest = fc.constantFrom(
  'container.privileged',
  'file.write',
  'process.name exists',
  'file.path not exists',
  'process.name = val(proc.aname[1])',
  'process.args != val(process.name)',
  'event.action in (open, exec)',
  'event.action != connect',
  'destination.ip in (10.0.0.0/8, 10.0.0.1)',
  'destination.ip not cidr (10.0.0.0/30)',
);
const leaf = fc.oneof(textTest, globTest, regexTest, numberTest, otherTest);
const { condition } = fc.letrec<{ condition: string }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, depthSize: 'medium' },
    leaf,
    fc.constant('common'),
    fc
      .tuple(tie('condition'), fc.constantFrom('and', 'or'), tie('condition'))
      .map(([a, word, b]) => `(${a} ${word} ${b})`),
    tie('condition').map((inner) => `not (${inner})`),
  ),
}));

const optional = (value: fc.Arbitrary<FieldValue>): fc.Arbitrary<FieldValue> =>
  fc.option(value, { nil: undefined, freq: 4 });
const event: fc.Arbitrary<TestEvent> = fc
  .tuple(
    fc.constantFrom('exec', 'open', 'connect', 'exit'),
    fc.record({
      'process.name': optional(fc.oneof(text, path)),
      'process.executable': optional(path),
      'process.command_line': optional(
        fc.oneof(text, fc.string({ unit: fc.constantFrom('a', 'b', 'A'), maxLength: 40 })),
      ),
      'process.args': optional(fc.array(text, { maxLength: 3 })),
      'proc.aname[0]': optional(text),
      'proc.aname[1]': optional(text),
      'user.id': optional(fc.nat(4)),
      'container.privileged': optional(fc.boolean()),
    }),
    fc.record({ 'file.path': optional(path), 'file.write': optional(fc.boolean()) }),
    fc.record({
      'destination.ip': optional(fc.constantFrom('10.0.0.1', '10.0.0.9', '::1')),
      'destination.port': optional(fc.nat(4)),
    }),
  )
  .map(([kind, common, open, connect]) =>
    createTestEvent(kind, { ...common, ...(kind === 'open' ? open : {}), ...(kind === 'connect' ? connect : {}) }),
  );

const rules = fc
  .tuple(leaf, fc.array(condition, { minLength: 1, maxLength: 12 }))
  .map(([common, conditions]) =>
    [
      `- macro: common\n  condition: ${JSON.stringify(common)}`,
      ...conditions.map((candidate, i) => `- rule: r${i}\n  condition: ${JSON.stringify(candidate)}`),
    ].join('\n'),
  );

/** An event of a process and a container that it shares with other events. */
interface Shared {
  readonly event: TestEvent;
  readonly actor: TestEvent | undefined;
  /** The actor's parent, if known. */
  readonly parent: TestEvent | null;
  readonly box: TestEvent | null;
}

const ofBox = { of: ({ box }: Shared) => box };
const ofActor = { of: ({ actor }: Shared) => actor };
const ofParent = { of: ({ parent }: Shared) => parent, within: ofActor };

/**
 * Fields of the process are absent if the process or its parent is unknown; fields of the container if there is none.
 */
const withSubjects: FieldCatalogue<Shared> = {
  fields: catalogue.fields.map(({ subject: _, locate: __, ...field }) => {
    if (field.name.startsWith('container.'))
      return { ...field, subject: ofBox, get: ({ box }, argument) => box?.[nameOf(field.name, argument)] };
    if (field.name === 'proc.aname')
      return {
        ...field,
        subject: (argument) => (argument === 0 ? ofActor : ofParent),
        get: ({ event, actor, parent }, argument) =>
          (argument === 0 ? (actor ?? event) : parent)?.[nameOf(field.name, argument)],
      };
    if (!/^(process|proc|user)\./.test(field.name))
      return { ...field, get: ({ event }, argument) => field.get(event, argument) };
    return {
      ...field,
      subject: ofActor,
      get: ({ event, actor }, argument) => field.get(actor ?? event, argument),
    };
  }),
};
const nameOf = (name: string, argument: string | number | undefined): string =>
  argument === undefined ? name : `${name}[${argument}]`;

describe('the compiled matcher', () => {
  test('reports exactly the rules whose condition holds in a plain walk', () => {
    fc.assert(
      fc.property(rules, fc.array(event, { minLength: 1, maxLength: 8 }), (source, events) => {
        const set = compile(source);
        assert.deepEqual(
          set.diagnostics.filter(({ severity }) => severity === 'error'),
          [],
        );
        const unindexed = compile(source, { indexed: false });
        for (const candidate of events) {
          const expected = set.rules.filter((rule) => explain(rule, candidate).holds).map(({ name }) => name);
          assert.deepEqual(matches(set, candidate), expected);
          assert.deepEqual(matches(unindexed, candidate), expected);
        }
      }),
      { numRuns: 400 },
    );
  });

  test('reports the same in any order of evaluation', () => {
    const drawn = fc.tuple(rules, fc.array(event, { minLength: 1, maxLength: 8 }), fc.integer());
    fc.assert(
      fc.property(drawn, ([source, events, seed]) => {
        let state = seed;
        let now = 0;
        // Random costs make the order change all the time; few events pass between samples.
        const clock = (): number => {
          state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
          now += (state >>> 8) % 7 === 0 ? 1e-5 : 1e-6;
          return now;
        };
        const set = compile(source, { clock });
        const unindexed = compile(source, { clock, indexed: false });
        const expected = events.map((candidate) => set.rules.filter((rule) => explain(rule, candidate).holds));
        for (let round = 0; round < 1_600 / events.length; round++)
          for (const [i, candidate] of events.entries()) {
            const names = expected[i]!.map(({ name }) => name);
            assert.deepEqual(matches(set, candidate), names);
            assert.deepEqual(matches(unindexed, candidate), names);
          }
      }),
      { numRuns: 40 },
    );
  });

  test('finds the same for events of a shared process and container as for each event alone', () => {
    const eventOf = fc.record({
      event,
      actor: fc.option(fc.nat(2), { nil: undefined, freq: 6 }),
      parent: fc.option(fc.nat(1), { nil: null, freq: 2 }),
      box: fc.option(fc.nat(1), { nil: null, freq: 2 }),
    });
    const pool = fc.array(event, { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(rules, pool, fc.array(eventOf, { minLength: 2, maxLength: 16 }), (source, subjects, drawn) => {
        const set = compileRules({
          sources: [{ name: 'test.yaml', text: source }],
          catalogue: withSubjects,
          kinds: { names: kinds.names, of: (candidate) => kinds.of(candidate.event) },
        });
        for (const { event: drawnEvent, actor, parent, box } of drawn) {
          const parentOf = actor === undefined ? parent : actor >> 1;
          const candidate = {
            event: drawnEvent,
            actor: actor === undefined ? undefined : subjects[actor],
            parent: parentOf === null ? null : (subjects[parentOf] ?? null),
            box: box === null ? null : (subjects[box] ?? null),
          };
          const found: string[] = [];
          set.matcher.match(candidate, ({ name }) => found.push(name), 0);
          const expected = set.rules.filter((rule) => explain(rule, candidate).holds).map(({ name }) => name);
          assert.deepEqual(found, expected);
        }
      }),
      { numRuns: 400 },
    );
  });

  test('covers every kind and path on which a rule can match', () => {
    fc.assert(
      fc.property(rules, fc.array(event, { minLength: 1, maxLength: 8 }), (source, events) => {
        const set = compile(source, { filtered: [OPENS] });
        const narrow = [false, true].map((write) =>
          compile(source, { filtered: [{ ...OPENS, given: { 'file.write': write } }] }),
        );
        for (const candidate of events.map(ofItsExecutable)) {
          const matching = matches(set, candidate);
          if (matching.length === 0) continue;
          assert.ok(set.interest.kinds.includes(candidate.kind));
          const write = candidate['file.write'];
          if (candidate.kind !== 'open' || typeof candidate['file.path'] !== 'string') continue;
          assertCovered(set.interest.paths[0], candidate, matching);
          if (typeof write === 'boolean') assertCovered(narrow[Number(write)]!.interest.paths[0], candidate, matching);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('covers every open of an executable on which a rule can match', () => {
    const name = fc.constantFrom('a', 'b', 'etc');
    const ofExecutable = fc.oneof(
      fc.tuple(fc.constantFrom('process.name', 'basename(process.executable)'), listOf(name)),
      fc.tuple(fc.constant('process.executable'), listOf(path)),
    );
    const condition = fc
      .tuple(ofExecutable, fc.constantFrom('and', 'or', 'and not'), leaf)
      .map(([[field, list], word, literal]) => `event.action = open and (${field} in ${list} ${word} (${literal}))`);
    let decided = 0;
    fc.assert(
      fc.property(condition, fc.array(event, { minLength: 8, maxLength: 16 }), (text, events) => {
        const set = compile(`- rule: r\n  condition: ${JSON.stringify(text)}`, { filtered: [OPENS] });
        for (const candidate of events.map(ofItsExecutable)) {
          const matching = candidate['file.path'] === undefined ? [] : matches(set, candidate);
          if (matching.length > 0 && assertCovered(set.interest.paths[0], candidate, matching) === 'executable')
            decided++;
        }
      }),
      { numRuns: 300 },
    );
    assert.ok(decided > 20, `the executable alone let ${decided} through`);
  });
});

const OPENS: FilteredEvents = { kind: 'open', fields: ['file.path'], executable: 'process.executable' };

/** Independently generated fields may contradict each other, but the fields of a process never do. */
function ofItsExecutable(candidate: TestEvent): TestEvent {
  const executable = candidate['process.executable'];
  return { ...candidate, 'process.name': typeof executable === 'string' ? basename(executable) : undefined };
}

/** Checks that the interest covers an event that rules match, except for rules that may match any path. */
function assertCovered(
  paths: PathInterest<TestEvent> | undefined,
  candidate: TestEvent,
  matching: readonly string[],
): 'path' | 'executable' | 'everything' {
  const { prefixes, names, executables, unbounded } = paths!;
  const file = String(candidate['file.path']);
  const everything = unbounded.map(({ name }) => name);
  if (prefixes.some((prefix) => file.startsWith(prefix)) || names.includes(basename(file))) return 'path';
  if (executables.includes(String(candidate['process.name']))) return 'executable';
  assert.ok(
    matching.every((rule) => everything.includes(rule)),
    `${file} is neither below ${prefixes} nor called ${names}, and ${candidate['process.name']} is none of ${executables}`,
  );
  return 'everything';
}
