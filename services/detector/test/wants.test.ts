/** The interest of the built-in rules */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { catalogue, eventKinds } from '@ringfence/fields';
import { compileRules } from '@ringfence/rules';
import { compileDetectorRules, interestOf, readRuleFiles } from '../src/index.ts';
import { WANTED_FORMS, wantsOf } from '../src/wants.ts';

const builtIn = () => readRuleFiles([join(import.meta.dirname, '../../../rules')]);

test('the recommended rules want nearly all kinds of events from any program, so a filter by executable gains little', async () => {
  const sources = await builtIn();
  const asked = compileDetectorRules(sources).interest.forms.filter((interest) => interest !== 'nothing').length;
  // The interest for a program that no rule names.
  const unnamed = { 'process.name': { is: 'rf-unnamed' }, 'process.executable': { is: '/opt/rf-unnamed' } };
  const forms = WANTED_FORMS.map((form) => ({ ...form, facts: { ...form.facts, ...unnamed } }));
  const { interest } = compileRules({ sources, catalogue, kinds: eventKinds, profile: 'recommended', forms });
  const remaining = interest.forms.filter((form) => form !== 'nothing').length;
  assert.deepEqual(
    [WANTED_FORMS.length, asked, remaining],
    [84, 72, 66],
    'docs/decisions/0016-filter-only-files-by-executable.md gives these numbers',
  );
});

test('no built-in rule asks for failed execs of missing files, as a search along PATH makes them', async () => {
  const wants = wantsOf(compileDetectorRules(await builtIn()).interest.forms);
  assert.deepEqual(
    wants.filter(({ kind }) => kind === 'attempt').map(({ form, scope }) => [form, scope]),
    ['exec', 'fork', 'credentials'].map((form) => [form, '']),
  );
});

/** Returns the interest of one rule. */
function wantsOfRule(condition: string): string[] {
  const text = JSON.stringify([{ rule: 'r', desc: 'd', condition, output: 'o', priority: 'INFO' }]);
  const { wants } = interestOf(compileDetectorRules([{ name: 'r.yaml', text }]));
  return (wants ?? []).map(({ kind, form }) => `${kind}.${form}`);
}

test('a rule on the name of a peer asks for DNS answers', () => {
  const connects = 'event.action = connect and destination.port = 443';
  assert.ok(!wantsOfRule(connects).includes('packet.dns'));
  assert.ok(wantsOfRule(`${connects} and destination.domain endswith .example`).includes('packet.dns'));
  assert.ok(wantsOfRule(`${connects} and not falco.fd.rip.name in (a.example, b.example)`).includes('packet.dns'));
});

describe('unix sockets', () => {
  const FORMS_OF_UNIX = ['connect.unix', 'datagram.unix', 'socket.bind-unix', 'socket.listen-unix'];
  const asked = (condition: string): string[] => {
    const wants = wantsOfRule(condition);
    return FORMS_OF_UNIX.filter((form) => wants.includes(form));
  };

  for (const condition of [
    'destination.ip in (192.0.2.1, 198.51.100.0/24)',
    'source.ip = 192.0.2.1 or destination.ip = 192.0.2.1',
    'destination.port = 4444 or destination.domain endswith .example',
    'network.transport = udp',
    'falco.fd.rip in (192.0.2.1) or falco.fd.lport = 53',
  ])
    test(`stay in the kernel for a rule on a field that they lack: ${condition}`, () =>
      assert.deepEqual(asked(condition), []));

  test('leave the kernel for a rule that can match them', () => {
    assert.deepEqual(asked('event.action = datagram and network.unix.path = /dev/log'), ['datagram.unix']);
    assert.deepEqual(asked('network.unix.path startswith /run/'), FORMS_OF_UNIX);
    assert.deepEqual(asked('not destination.ip = 192.0.2.1 and network.type = unix'), FORMS_OF_UNIX);
  });

  test('their documented fields exist', () => {
    const names = new Set(catalogue.fields.map(({ name }) => name));
    for (const { facts } of WANTED_FORMS) for (const name of Object.keys(facts)) assert.ok(names.has(name), name);
  });
});
