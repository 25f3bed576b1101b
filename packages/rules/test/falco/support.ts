import assert from 'node:assert/strict';
import type { FieldCatalogue, FieldSpec, FieldValue } from '../../src/model/catalogue.ts';
import { compileRules, type RuleSet } from '../../src/rule-set.ts';
import { createTestEvent, kinds, catalogue as native, type TestEvent } from '../support/events.ts';

export { createTestEvent, type TestEvent };

/** A field in Falco's form; it reads the event's property of the same name. */
function falco(
  name: string,
  type: FieldSpec<TestEvent>['type'],
  more: Partial<FieldSpec<TestEvent>> = {},
): FieldSpec<TestEvent> {
  const get = (event: TestEvent, argument?: string | number): FieldValue =>
    event[argument === undefined ? name : `${name}[${argument}]`];
  return { name: `falco.${name}`, type, doc: `${name}.`, dialect: 'falco', get, ...more };
}

const PLUGINS = 'sessions are not recorded';

export const catalogue: FieldCatalogue<TestEvent> = {
  fields: [
    ...native.fields,
    falco('evt.type', 'string', {
      constants: { exec: 'execve', open: 'openat', connect: 'connect' },
      kinds: ['exec', 'open', 'connect'],
      spellings: { open: 'openat', openat2: 'openat', execveat: 'execve' },
      neverIs: (value) => (value === 'dup' ? 'copies are not watched' : undefined),
    }),
    falco('evt.num', 'number', { least: 1 }),
    falco('evt.arg.flags', 'string'),
    falco('proc.args', 'string'),
    falco('proc.pcmdline', 'string'),
    falco('proc.tty', 'number'),
    falco('proc.anames', 'strings'),
    falco('proc.sname', 'string', { never: PLUGINS, kinds: [], get: () => undefined }),
    falco('fd.ip', 'ip', { anyOf: ['source.ip', 'destination.ip'], get: (event) => event['source.ip'] }),
    { ...falco('source.ip', 'ip'), name: 'source.ip', kinds: ['connect'] },
    falco('container.id', 'string', {
      get: (event) => event['container.id'] ?? 'host',
      otherwise: { value: 'host', of: 'container.id' },
    }),
    { ...falco('container.id', 'string'), name: 'container.id' },
    falco('container.mount.dest', 'strings', { argument: 'key', argumentOptional: true }),
    falco('k8s.pod.label', 'string', { argument: 'key' }),
    falco('evt.buffer', 'string'),
  ],
};

export const HEAD = '- required_engine_version: 0.57.0\n';

export function load(...texts: readonly string[]): RuleSet<TestEvent> {
  const sources = texts.map((text, i) => ({ name: `${'abc'[i]}_rules.yaml`, text }));
  return compileRules({ sources, catalogue, kinds });
}

/** Formats diagnostics as `file:line: message`. */
export const messagesOf = ({ diagnostics }: RuleSet<TestEvent>): string[] =>
  diagnostics.map(({ file, line, severity, message }) => `${file[0]}:${line}: ${severity}: ${message}`);

export function matching(set: RuleSet<TestEvent>, event: TestEvent): string[] {
  const names: string[] = [];
  set.matcher.match(event, (rule) => names.push(rule.name), 0);
  return names;
}

export const rule = (name: string, condition: string, more = ''): string =>
  `- rule: ${name}\n  desc: d\n  condition: ${JSON.stringify(condition)}\n  output: o\n  priority: WARNING\n${more}`;

/** Whether a condition of a Falco file holds. */
export function holds(condition: string, event: TestEvent, definitions = ''): boolean {
  const set = load(`${HEAD}${definitions}\n${rule('r', condition)}`);
  assert.deepEqual(
    set.diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  );
  return matching(set, event).length === 1;
}
