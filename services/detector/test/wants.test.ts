/** What the built-in rules ask the sensor for. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { catalogue, eventKinds } from '@ringfence/fields';
import { compileRules } from '@ringfence/rules';
import { compileDetectorRules, interestOf, readRuleFiles } from '../src/index.ts';
import { WANTED_FORMS, wantsOf } from '../src/wants.ts';

const builtIn = () => readRuleFiles([join(import.meta.dirname, '../../../rules')]);

test('executables would narrow little of what the recommended rules ask for: of nearly all of it they want events of any program', async () => {
  const sources = await builtIn();
  const asked = compileDetectorRules(sources).interest.forms.filter((interest) => interest !== 'nothing').length;
  // The same of a program that no rule names.
  const other = { 'process.name': { is: 'rf-unnamed' }, 'process.executable': { is: '/opt/rf-unnamed' } };
  const forms = WANTED_FORMS.map((form) => ({ ...form, facts: { ...form.facts, ...other } }));
  const { interest } = compileRules({ sources, catalogue, kinds: eventKinds, profile: 'recommended', forms });
  const left = interest.forms.filter((one) => one !== 'nothing').length;
  assert.deepEqual(
    [WANTED_FORMS.length, asked, left],
    [84, 41, 38],
    'docs/decisions/0016-filter-only-files-by-executable.md gives these numbers',
  );
});

test('programs that are not there, as a search along PATH meets them, are asked for by no built-in rule', async () => {
  const wants = wantsOf(compileDetectorRules(await builtIn()).interest.forms);
  assert.deepEqual(
    wants.filter(({ kind }) => kind === 'attempt').map(({ form, scope }) => [form, scope]),
    ['exec', 'fork', 'credentials'].map((form) => [form, '']),
  );
});

/** What the sensor is asked for because of one rule. */
function wantsOfRule(condition: string): string[] {
  const text = JSON.stringify([{ rule: 'r', desc: 'd', condition, output: 'o', priority: 'INFO' }]);
  const { wants } = interestOf(compileDetectorRules([{ name: 'r.yaml', text }]));
  return (wants ?? []).map(({ kind, form }) => `${kind}.${form}`);
}

test('a rule that compares the name of a peer makes answers of name servers leave the kernel', () => {
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
    test(`stay in the kernel for a rule on what they have none of: ${condition}`, () =>
      assert.deepEqual(asked(condition), []));

  test('leave it for a rule that can match them', () => {
    assert.deepEqual(asked('event.action = datagram and network.unix.path = /dev/log'), ['datagram.unix']);
    assert.deepEqual(asked('network.unix.path startswith /run/'), FORMS_OF_UNIX);
    assert.deepEqual(asked('not destination.ip = 192.0.2.1 and network.type = unix'), FORMS_OF_UNIX);
  });

  test('what is said of their fields is said of fields that are there', () => {
    const names = new Set(catalogue.fields.map(({ name }) => name));
    for (const { facts } of WANTED_FORMS) for (const name of Object.keys(facts)) assert.ok(names.has(name), name);
  });
});
