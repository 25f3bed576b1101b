import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createTestCommand, createTestLineage, createTestResult, EVIDENCE_HOST } from '@ringfence/synthetic';
import type { Command, Incident, Result } from '@ringfence/wire';
import fc from 'fast-check';
import { ocsfEvent } from '../../src/encode/ocsf/index.ts';
import { itemOf } from '../../src/items/read-item.ts';
import type { Item } from '../../src/sink.ts';
import { createTestContainer, HOSTILE, hostileItem } from '../kinds/hostile.ts';
import { ocsfProblems, type Shape, schema } from '../ocsf/validate.ts';
import { alertItem, incidentItem, operatorItem } from '../support.ts';

const container = createTestContainer();
const lineage = [100, 99, 98, 1].map(createTestLineage);

const responseItem = (kind: 'command' | 'result', record: Command | Result): Item =>
  itemOf(kind, record, { id: `${kind}/${record.id}`, group: record.id, at: 1_790_000_000_000_001 });
const commandItem = (overrides: Partial<Command> = {}): Item =>
  responseItem('command', { ...createTestCommand('c'.repeat(32)), ...overrides });
const resultItem = (outcome: Result['outcome']): Item =>
  responseItem('result', createTestResult(createTestCommand('c'.repeat(32)), { outcome, reason: 'why' }));

const attack = alertItem(1, {
  lineage,
  container,
  tactics: ['credential-access'],
  techniques: ['T1003.008', 'T1083'],
  fields: { 'file.path': '/etc/shadow', 'destination.ip': '2001:db8::1', 'destination.port': '443', 'source.ip': 'x' },
});

const incident = (overrides: Partial<Incident> = {}): Item =>
  incidentItem(2, {
    container,
    stages: [
      { tactic: 'execution', techniques: ['T1059.004'], firstSeen: 1 },
      { tactic: 'unheard-of', techniques: [], firstSeen: 2 },
    ],
    ...overrides,
  });

const hostileAction = (text: string): Item =>
  operatorItem(1, { action: text, target: text, reason: text, user: text, command: text, details: { [text]: text } });

const ITEMS: Readonly<Record<string, Item>> = {
  'an alert': attack,
  'an alert without a process': alertItem(1, { lineage: [], tactics: [], techniques: [] }),
  'an alert about a folder': alertItem(1, {
    lineage: [{ ...createTestLineage(1), executable: '/' }],
    fields: { 'file.path': '/' },
  }),
  'an incident': incident(),
  'an incident without alerts': incident({ alerts: [], stages: [] }),
  'a closed incident': incident({ state: 'closed', status: 'closed', verdict: 'false_positive' }),
  'a contained incident': incident({ status: 'contained', hostId: '' }),
  'an order': commandItem(),
  'an order that only observes': commandItem({ mode: 'observe', executable: '' }),
  ...Object.fromEntries(
    (['executed', 'observed', 'refused', 'expired', 'failed', 'gone'] as const).map((outcome) => [
      `a result: ${outcome}`,
      resultItem(outcome),
    ]),
  ),
  'an action of an operator': operatorItem(1),
  'an action of a service, without a target, user and process': operatorItem(1, {
    ...{ action: 'settings.start', target: '', reason: '', uid: -1, user: '', pid: -1, origin: 'service' },
  }),
  ...Object.fromEntries(HOSTILE.map((text, i) => [`an action with hostile text ${i}`, hostileAction(text)])),
  ...Object.fromEntries(HOSTILE.map((text, i) => [`hostile text ${i}`, hostileItem(i, text)])),
};

interface Finding {
  readonly finding_info: { readonly attacks: readonly unknown[] };
  readonly actor: {
    readonly process: {
      readonly pid: number;
      readonly parent_process: { readonly pid: number };
      readonly ancestry: readonly { readonly pid: number }[];
      readonly container: { readonly image: unknown };
    };
  };
  readonly evidences: readonly [Readonly<Record<'src_endpoint' | 'dst_endpoint' | 'file', unknown>>];
  readonly severity: string;
}

suite('OCSF', () => {
  for (const [what, item] of Object.entries(ITEMS))
    test(`of ${what} is valid by the published schema`, () => {
      assert.deepEqual(ocsfProblems(ocsfEvent(item)), []);
    });

  test('is valid whatever fields a sink drops', () => {
    const items = Object.values(ITEMS);
    const names = [...new Set(items.flatMap(({ document }) => Object.keys(document)))];
    fc.assert(
      fc.property(fc.constantFrom(...items), fc.subarray(names), (item, dropped) => {
        const kept = Object.entries(item.document).filter(([name]) => !dropped.includes(name));
        assert.deepEqual(ocsfProblems(ocsfEvent({ ...item, document: Object.fromEntries(kept) } as Item)), []);
      }),
      { numRuns: 500 },
    );
  });

  test('of an alert has the techniques, the process with its ancestors, the container and the evidence', () => {
    const event = ocsfEvent(attack) as never as Finding;
    const { finding_info: finding, actor, evidences, severity } = event;
    assert.deepEqual(finding.attacks, [
      { tactic: { name: 'credential-access' }, technique: { uid: 'T1003' }, sub_technique: { uid: 'T1003.008' } },
      { tactic: { name: 'credential-access' }, technique: { uid: 'T1083' } },
    ]);
    const { process } = actor;
    assert.deepEqual(
      [process.pid, process.parent_process.pid, ...process.ancestry.map(({ pid }) => pid)],
      [100, 99, 98, 1],
    );
    assert.deepEqual(process.container.image, { uid: 'shop/web:1.4', name: 'shop/web:1.4' });
    const [evidence] = evidences;
    assert.deepEqual(evidence.dst_endpoint, { ip: '2001:db8::1', port: 443 });
    assert.equal(evidence.src_endpoint, undefined);
    assert.deepEqual(evidence.file, { path: '/etc/shadow', name: 'shadow', type_id: 0 });
    assert.equal(severity, 'Medium');
  });

  test('of an action of an operator says who did what to what, and why', () => {
    const of = (action: string, target = 'inc-1'): Record<string, unknown> =>
      ocsfEvent(operatorItem(1, { action, target, reason: 'on call' }));
    const { entity, actor, comment, device } = of('incident.set') as Record<string, object>;
    assert.deepEqual(
      [entity, actor, comment],
      [
        { uid: 'inc-1', type_id: 99, type: 'incident' },
        { process: { pid: 7, cmd_line: 'ringfence incident show inc-1' }, user: { name: 'root', uid: '0' } },
        'on call',
      ],
    );
    assert.equal((device as { uid: string }).uid, EVIDENCE_HOST);
    assert.deepEqual(
      ['token.create', 'incident.show', 'incident.set', 'service.revoke'].map((action) => of(action)['activity_id']),
      [1, 2, 3, 4],
    );
  });

  test('says what an incident does: it opens, grows and closes', () => {
    const activity = (item: Item): unknown => ocsfEvent(item)['activity_id'];
    assert.deepEqual([incidentItem(1), incidentItem(2), ITEMS['a closed incident']!].map(activity), [1, 2, 3]);
  });
});

type Mutable = Record<string, unknown>;

/** Returns the objects of an event with their shapes. */
function objectsOf(value: Mutable, shape: Shape): { readonly object: Mutable; readonly shape: Shape }[] {
  const inner = Object.entries(value).flatMap(([name, item]) => {
    const innerShape = schema.objects[shape.attributes[name]!.type];
    return innerShape === undefined ? [] : [item].flat().flatMap((one) => objectsOf(one as Mutable, innerShape));
  });
  return [{ object: value, shape }, ...inner];
}

/** Returns the ways to break an object: each of them must be refused. */
function mutationsOf({ attributes, constraints }: Shape, object: Readonly<Mutable>): ((target: Mutable) => void)[] {
  const names = Object.keys(object);
  const listed = constraints?.at_least_one ?? [];
  const remove = (target: Mutable, some: readonly string[]): void => {
    for (const name of some) delete target[name];
  };
  return [
    (target) => Object.assign(target, { zzz: 1 }),
    ...(listed.length === 0 ? [] : [(target: Mutable) => remove(target, listed)]),
    ...names.flatMap((name) => {
      const { requirement, enum: values, type } = attributes[name]!;
      return [
        ...(requirement === 'required' ? [(target: Mutable) => remove(target, [name])] : []),
        ...(values === undefined ? [] : [(target: Mutable) => Object.assign(target, { [name]: 4711 })]),
        ...(type === 'json_t' ? [] : [(target: Mutable) => Object.assign(target, { [name]: [[]] })]),
      ];
    }),
  ];
}

test('the validator refuses an event that is broken in any one place', () => {
  let mutations = 0;
  for (const event of Object.values(ITEMS).map(ocsfEvent)) {
    const shape = schema.classes[String(event['class_uid'])]!;
    for (const [place, found] of objectsOf(event, shape).entries())
      for (const mutate of mutationsOf(found.shape, found.object)) {
        const copy = structuredClone(event) as Mutable;
        const { object } = objectsOf(copy, shape)[place]!;
        mutate(object);
        mutations++;
        assert.notDeepEqual(ocsfProblems(copy), [], `${mutate} of ${JSON.stringify(object)}`);
      }
  }
  assert.ok(mutations > 1000, `only ${mutations} mutations`);
});
