/** What a filter by form and port must let through: always enough, and no more than the conditions ask for. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { FilteredForm, FormInterest } from '../src/interest/forms.ts';
import type { FieldCatalogue, FieldSpec } from '../src/model/catalogue.ts';
import { compileRules, type RuleSet } from '../src/rule-set.ts';
import { createTestEvent, type TestEvent } from './support/events.ts';

const LOOPBACK = ['127.0.0.0/8', '::1/128'];
const KINDS = ['connect', 'accept', 'exec', 'attempt'];
const NOT_FOUND = ['ENOENT', 'ENOTDIR'];
const field = (
  name: string,
  type: FieldSpec<TestEvent>['type'],
  more: Partial<FieldSpec<TestEvent>> = {},
): FieldSpec<TestEvent> => ({ name, type, doc: `${name}.`, get: (event) => event[name], ...more });
const ends = { kinds: ['connect', 'accept'] };
const catalogue: FieldCatalogue<TestEvent> = {
  fields: [
    field('event.action', 'string', { constants: Object.fromEntries(KINDS.map((kind) => [kind, kind])) }),
    field('network.transport', 'string', ends),
    field('network.type', 'string', ends),
    field('network.unix.path', 'string', ends),
    field('destination.ip', 'ip', ends),
    field('source.ip', 'ip', ends),
    field('destination.port', 'number', ends),
    field('source.port', 'number', ends),
    field('error.code', 'string', { kinds: ['attempt'] }),
    field('container.id', 'string'),
    field('container.name', 'string'),
    field('user.id', 'number'),
  ],
};
const kinds = { names: KINDS, of: (event: TestEvent) => KINDS.indexOf(event.kind) };

const HOST = { 'container.id': { present: false }, 'container.name': { present: false } };
const CONTAINER = { 'container.id': { present: true } };
const outward = { 'destination.port': ['peer'], 'source.port': ['local'] } as const;
const inward = { 'source.port': ['peer'], 'destination.port': ['local'] } as const;
const tcp = {
  'network.transport': { is: 'tcp' },
  'network.type': { not: ['unix'] },
  'network.unix.path': { present: false },
};

/** A form, and the condition that an event belongs to it. */
interface Place extends FilteredForm {
  readonly name: string;
  has(event: TestEvent): boolean;
}
const isLoopback = (ip: unknown): boolean => ip === '::1' || String(ip).startsWith('127.');
const places: readonly Place[] = [false, true].flatMap((contained): Place[] => {
  const scope = contained ? CONTAINER : HOST;
  const place = (name: string, form: FilteredForm, has: (event: TestEvent) => boolean): Place => ({
    ...form,
    facts: { ...form.facts, ...scope },
    name: `${name} ${contained ? 'of containers' : 'of the host'}`,
    has: (event) => event.kind === form.kind && (event['container.id'] !== undefined) === contained && has(event),
  });
  const isTcp = (event: TestEvent): boolean => event['network.transport'] === 'tcp';
  return [
    place(
      'tcp',
      { kind: 'connect', facts: { ...tcp, 'destination.ip': { outside: LOOPBACK } }, ports: outward },
      (event) => isTcp(event) && !isLoopback(event['destination.ip']),
    ),
    place(
      'loopback',
      { kind: 'connect', facts: { ...tcp, 'destination.ip': { inside: LOOPBACK } }, ports: outward },
      (event) => isTcp(event) && isLoopback(event['destination.ip']),
    ),
    place(
      'other',
      {
        kind: 'connect',
        facts: { 'network.transport': { not: ['tcp', 'udp'] }, 'network.type': { not: ['unix'] } },
        ports: outward,
      },
      (event) => event['network.type'] !== 'unix' && !['tcp', 'udp'].includes(String(event['network.transport'])),
    ),
    place(
      'unix',
      {
        kind: 'connect',
        facts: {
          'network.type': { is: 'unix' },
          'network.transport': { present: false },
          'destination.port': { present: false },
          'source.port': { present: false },
        },
        ports: {},
      },
      (event) => event['network.type'] === 'unix',
    ),
    place(
      'accept',
      { kind: 'accept', facts: { 'source.ip': { outside: LOOPBACK } }, ports: inward },
      (event) => !isLoopback(event['source.ip']),
    ),
    place('accept loopback', { kind: 'accept', facts: { 'source.ip': { inside: LOOPBACK } }, ports: inward }, (event) =>
      isLoopback(event['source.ip']),
    ),
    place('exec', { kind: 'exec', facts: {}, ports: {} }, () => true),
    place('not found', { kind: 'attempt', facts: { 'error.code': { among: NOT_FOUND } }, ports: {} }, (event) =>
      NOT_FOUND.includes(String(event['error.code'])),
    ),
    place(
      'refused',
      { kind: 'attempt', facts: { 'error.code': { not: NOT_FOUND } }, ports: {} },
      (event) => !NOT_FOUND.includes(String(event['error.code'])),
    ),
  ];
});

function compile(conditions: readonly string[]): RuleSet<TestEvent> {
  const text = conditions.map((candidate, i) => `- rule: r${i}\n  condition: ${JSON.stringify(candidate)}`).join('\n');
  const set = compileRules({ sources: [{ name: 'test.yaml', text }], catalogue, kinds, forms: places });
  assert.deepEqual(
    set.diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  );
  return set;
}

const inRanges = (ranges: readonly number[], port: number): boolean =>
  ranges.some((first, at) => at % 2 === 0 && port >= first && port <= (ranges[at + 1] as number));
const portAt = (event: TestEvent, name: string): number => Number(event[name] ?? 0);

function letsThrough(interest: FormInterest, event: TestEvent): boolean {
  if (interest === 'nothing') return false;
  if (interest === null) return true;
  const [peer, local] =
    event.kind === 'accept' ? ['source.port', 'destination.port'] : ['destination.port', 'source.port'];
  return inRanges(interest.peer, portAt(event, peer)) || inRanges(interest.local, portAt(event, local));
}

describe('interest in forms', () => {
  const shown = (condition: string): string[] => {
    const { forms } = compile([condition]).interest;
    return places.flatMap(({ name }, at) => {
      const interest = forms[at] as FormInterest;
      if (interest === 'nothing') return [];
      return interest === null ? [name] : [`${name} peer ${interest.peer.join()} local ${interest.local.join()}`];
    });
  };
  const table: readonly (readonly [condition: string, expected: readonly string[]])[] = [
    ['event.action = exec', ['exec of the host', 'exec of containers']],
    ['event.action = exec and container.id exists', ['exec of containers']],
    ['event.action = exec and not container.id exists', ['exec of the host']],
    ['event.action = exec and container.name = web', ['exec of containers']],
    [
      'network.transport = tcp and not destination.ip cidr (127.0.0.0/8, ::1/128) and event.action = connect',
      ['tcp of the host', 'tcp of containers'],
    ],
    [
      'event.action = connect and container.id exists and destination.ip in (10.0.0.1, 10.0.0.2)',
      ['tcp of containers', 'other of containers', 'unix of containers'],
    ],
    [
      'event.action = connect and container.id exists and destination.ip = 127.0.0.5 and network.transport = tcp',
      ['loopback of containers'],
    ],
    [
      'event.action = connect and container.id exists and network.transport = tcp and destination.port in (22, 23, 80)',
      ['tcp of containers peer 22,23,80,80 local ', 'loopback of containers peer 22,23,80,80 local '],
    ],
    [
      'event.action = accept and container.id exists and destination.port < 1024 and not source.ip cidr (127.0.0.0/8)',
      ['accept of containers peer  local 0,1023', 'accept loopback of containers peer  local 0,1023'],
    ],
    [
      'event.action = connect and container.id exists and network.transport = tcp and not destination.port in (80, 443) and user.id = 0',
      [
        'tcp of containers peer 0,79,81,442,444,65535 local ',
        'loopback of containers peer 0,79,81,442,444,65535 local ',
      ],
    ],
    [
      'event.action = connect and container.id exists and network.transport = tcp and (destination.port = 22 or source.port != 5)',
      ['tcp of containers peer 22,22 local 0,4,6,65535', 'loopback of containers peer 22,22 local 0,4,6,65535'],
    ],
    ['event.action = connect and not container.id exists and network.type = unix and destination.port = 1', []],
    ['event.action = attempt and container.id exists and error.code in (EACCES, EPERM)', ['refused of containers']],
    ['event.action = attempt and container.id exists and error.code = ENOENT', ['not found of containers']],
    [
      'event.action = attempt and container.id exists and error.code != ENOENT',
      ['not found of containers', 'refused of containers'],
    ],
    [
      'event.action = connect and destination.port = 70000 and network.transport = tcp',
      [
        'tcp of the host peer  local ',
        'loopback of the host peer  local ',
        'tcp of containers peer  local ',
        'loopback of containers peer  local ',
      ],
    ],
  ];
  for (const [condition, expected] of table)
    test(`${condition} asks for ${expected.join('; ') || 'nothing'}`, () =>
      assert.deepEqual(shown(condition), expected));

  const address = fc.constantFrom('127.0.0.1', '127.9.9.9', '::1', '10.0.0.1', '192.0.2.7', 'fe80::1');
  const port = fc.constantFrom(0, 1, 22, 443, 1024, 65_535);
  const list = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<string> =>
    fc
      .array(value, { minLength: 1, maxLength: 3 })
      .map((values) => `(${values.map((candidate) => `'${candidate}'`).join(', ')})`);
  const network = fc.constantFrom(
    '127.0.0.0/8',
    '127.9.0.0/16',
    '::1/128',
    '0.0.0.0/0',
    '10.0.0.0/8',
    '::/0',
    '192.0.2.7/32',
  );
  const sides = fc.constantFrom('destination', 'source');
  const not = fc.constantFrom('', 'not ');
  const leaf = fc.oneof(
    fc.tuple(sides, not, list(network)).map(([side, word, values]) => `${side}.ip ${word}cidr ${values}`),
    fc
      .tuple(sides, not, list(fc.oneof(address, network)))
      .map(([side, word, values]) => `${side}.ip ${word}in ${values}`),
    fc
      .tuple(sides, not, fc.array(port, { minLength: 1, maxLength: 3 }))
      .map(([side, word, values]) => `${side}.port ${word}in (${values.join(', ')})`),
    fc
      .tuple(sides, fc.constantFrom('<', '<=', '>', '>=', '=', '!='), fc.oneof(port, fc.constantFrom(-1, 22.5, 70_000)))
      .map(([side, operator, value]) => `${side}.port ${operator} ${value}`),
    fc.constantFrom(
      'network.transport = tcp',
      'network.transport != tcp',
      'network.transport in (tcp, udp)',
      'network.transport exists',
      'tolower(network.transport) = tcp',
      'network.type = unix',
      'network.type != unix',
      'network.unix.path exists',
      'container.id exists',
      'container.name = web',
      'container.name != web',
      'destination.ip exists',
      'source.ip not exists',
      'destination.port exists',
      'destination.port = val(source.port)',
      'user.id = 0',
      'event.action = connect',
      'event.action in (accept, exec)',
      'event.action = attempt',
      'error.code = EACCES',
      'error.code in (ENOENT, EACCES)',
      'error.code != ENOTDIR',
      'not error.code in (ENOENT, ENOTDIR)',
      'error.code exists',
      'error.code startswith ENO',
    ),
  );
  const { condition } = fc.letrec<{ condition: string }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 3, depthSize: 'medium' },
      leaf,
      fc
        .tuple(tie('condition'), fc.constantFrom('and', 'or'), tie('condition'))
        .map(([a, word, b]) => `(${a} ${word} ${b})`),
      tie('condition').map((inner) => `not (${inner})`),
    ),
  }));

  const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
    fc.option(value, { nil: undefined, freq: 4 });
  const common = fc.record({ 'container.id': optional(fc.constant('c1')), 'user.id': fc.nat(1) }).chain((fields) =>
    optional(fc.constantFrom('web', 'db')).map((name) => ({
      ...fields,
      'container.name': fields['container.id'] === undefined ? undefined : name,
    })),
  );
  const somePort = port.map((value) => (value === 0 ? undefined : value));
  const inet = fc.record({
    'network.transport': fc.constantFrom('tcp', 'udp', 'icmp', undefined),
    'network.type': fc.constantFrom('ipv4', 'ipv6'),
    'destination.ip': address,
    'destination.port': port,
    'source.ip': optional(address),
    'source.port': somePort,
  });
  const event = fc.oneof(
    fc.tuple(common, inet).map(([shared, net]) => createTestEvent('connect', { ...shared, ...net })),
    fc.tuple(common, inet).map(([shared, net]) => createTestEvent('accept', { ...shared, ...net })),
    common.map((shared) =>
      createTestEvent('connect', { ...shared, 'network.type': 'unix', 'network.unix.path': '/run/x' }),
    ),
    common.map((shared) => createTestEvent('exec', shared)),
    fc
      .tuple(common, fc.constantFrom('ENOENT', 'ENOTDIR', 'EACCES', 'ENOEXEC', undefined))
      .map(([shared, code]) => createTestEvent('attempt', { ...shared, 'error.code': code })),
  );

  test('an event that is filtered out never matches a rule', () => {
    let matching = 0;
    let dropped = 0;
    fc.assert(
      fc.property(
        fc.array(condition, { minLength: 1, maxLength: 4 }),
        fc.array(event, { minLength: 1, maxLength: 12 }),
        (conditions, events) => {
          const set = compile(conditions);
          for (const candidate of events) {
            const at = places.flatMap(({ has }, index) => (has(candidate) ? [index] : []));
            // No field here distinguishes connected datagrams.
            if (at.length === 0) continue;
            assert.equal(at.length, 1);
            const through = letsThrough(set.interest.forms[at[0] as number] as FormInterest, candidate);
            const found = set.matcher.match(candidate, () => {}, 0);
            if (found > 0) matching++;
            if (!through) dropped++;
            assert.ok(through || found === 0, `${JSON.stringify(candidate)} matches and is not let through`);
          }
        },
      ),
      { numRuns: 500 },
    );
    assert.ok(matching > 200 && dropped > 200, `${matching} matched, ${dropped} were dropped`);
  });
});
