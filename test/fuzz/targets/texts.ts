/** Files that people write: rules in three languages, their tests, settings. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, HOME, loadConfig } from '@ringfence/config';
import { catalogue, eventKinds } from '@ringfence/fields';
import { readTestFile } from '@ringfence/rule-lab';
import { compileRules, lintRules } from '@ringfence/rules';
import { mutate } from '../lib/mutate.ts';
import type { Random } from '../lib/random.ts';
import { type FuzzTarget, outcomeOf } from '../lib/target.ts';

const FIELDS = [
  'process.name',
  'process.command_line',
  'file.path',
  'destination.ip',
  'user.id',
  'proc.aname[2]',
  'x.y',
];
const OPERATORS = ['=', '!=', 'in', 'contains', 'startswith', 'glob', 'regex', 'cidr', '<', 'exists', 'pmatch'];
const VALUES = [
  'sh',
  '(a, b)',
  "'[a-z]+$'",
  '10.0.0.0/8',
  '-1',
  '1e99',
  '"',
  '(list)',
  "'(a+)+$'",
  '/etc/*',
  '%s',
  '$a.file.path',
];
const YAML = [
  '&a',
  '*a',
  '!!js',
  '- ',
  ': ',
  '? ',
  '|',
  '>',
  '{',
  '}',
  '[',
  ']',
  '<<: *a',
  '"\\u0000"',
  '#',
  '---\n',
  '\t',
];
const FALCO = `- macro: spawned
  condition: evt.type in (execve, execveat)
- rule: Shell
  desc: d
  condition: spawned and proc.name in (sh, bash) and not proc.aname[2] = sshd
  output: "%proc.cmdline (user=%user.name)"
  priority: WARNING
  exceptions: [{ name: e, fields: [proc.name, fd.name], comps: [in, startswith], values: [[[sh], /tmp]] }]
`;
const SIGMA = `title: T
logsource: { product: linux, category: process_creation }
detection:
  a: { Image|endswith: [/sh, /bash], CommandLine|contains|all: ['-c', base64] }
  b|re: 'x{1,3}'
  condition: a and not 1 of b*
tags: [attack.execution, attack.t1059.004]
level: high
`;

const native = (name: string): string => readFileSync(join(HOME, 'rules', name), 'utf8');

function conditionBy(random: Random, depth = 0): string {
  const part = (): string => {
    if (depth < 6 && random.once(3)) return `(${conditionBy(random, depth + 1)})`;
    return `${random.pick(FIELDS)} ${random.pick(OPERATORS)} ${random.pick(VALUES)}`;
  };
  const parts = Array.from({ length: 1 + random.below(4) }, () => `${random.once(4) ? 'not ' : ''}${part()}`);
  return parts.join(random.pick([' and ', ' or ', ' ', ' && ']));
}

function ruleBy(random: Random): string {
  const sequence = (): string =>
    `sequence by ${random.pick(FIELDS)} with maxspan=${random.pick(['1m', '0s', '1e9d', 'x'])} [ ${conditionBy(random)} ] as $a [ ${conditionBy(random)} ] with runs=${random.integer()}`;
  const condition = random.once(4) ? sequence() : conditionBy(random);
  const text = (value: string): string => JSON.stringify(value);
  return `- rule: ${text(random.text())}\n  condition: ${text(condition)}\n  output: ${text(`%${random.pick(FIELDS)} %${random.text()}`)}\n  priority: ${random.pick(['error', 'notice', random.text().replaceAll(/[^a-z]/g, '')])}\n`;
}

/** Changes a file as text, too: keeps it well-formed more often than changes of bytes do. */
function textBy(random: Random, genuine: readonly string[], made: (random: Random) => string): Buffer {
  if (random.once(3)) return Buffer.from(Array.from({ length: 1 + random.below(4) }, () => made(random)).join(''));
  const file = random.pick(genuine);
  if (random.once(2)) return mutate(Buffer.from(file), random);
  const at = random.below(file.length);
  return Buffer.from(
    file.slice(0, at) + random.pick([...YAML, ...VALUES, ...OPERATORS]) + file.slice(at + random.below(3)),
  );
}

export const rules: FuzzTarget = {
  name: 'rules',
  description: 'rule files in the native language, in that of Falco and in that of Sigma, with their checks',
  shortRuns: 400,
  outcomes: ['accepted', 'refused'],
  memoryMax: 32 << 20,
  open() {
    const genuine = [...['execution.yaml', 'collection.yaml', 'common.yaml'].map(native), FALCO, SIGMA, SIGMA, FALCO];
    const compile = (text: string): string => {
      const set = compileRules({ sources: [{ name: 'fuzz.yaml', text }], catalogue, kinds: eventKinds });
      lintRules(set);
      return set.diagnostics.some(({ severity }) => severity === 'error') ? 'refused' : 'accepted';
    };
    return {
      warmUp: () => void compile(SIGMA + FALCO),
      generate: (random) => textBy(random, genuine, ruleBy),
      run: (input) => compile(input.toString('utf8')),
      finish() {
        for (const text of [FALCO, SIGMA]) if (compile(text) !== 'accepted') throw new Error('a right file is refused');
      },
    };
  },
};

export const ruleTests: FuzzTarget = {
  name: 'rule-tests',
  description: 'test files of rules',
  shortRuns: 400,
  outcomes: ['accepted', 'refused'],
  memoryMax: 16 << 20,
  open() {
    const files = readdirSync(join(HOME, 'rules')).filter((name) => name.endsWith('.test.yaml'));
    const genuine = files.slice(0, 4).map(native);
    const read = (text: string): string =>
      readTestFile('fuzz.test.yaml', text).faults.length > 0 ? 'refused' : 'accepted';
    const made = (random: Random): string =>
      `rule: x\ntests:\n  - test: ${JSON.stringify(random.text())}\n    events: { ${random.pick(FIELDS)}: ${JSON.stringify(random.text())}, repeat: ${random.integer()} }\n    expect: ${random.pick(['alert', 'none', '{ alerts: -1 }', '[]'])}\n`;
    return {
      warmUp: () => void read(genuine[0] ?? ''),
      generate: (random) => textBy(random, genuine, made),
      run: (input) => read(input.toString('utf8')),
      finish() {
        if (read(genuine[0] ?? '') !== 'accepted') throw new Error('a right file is refused');
      },
    };
  },
};

const SETTINGS = `sensor:
  opens: interest
  watchedPaths: [/srv/secrets]
detector: { profile: hunt, rules: [builtin] }
bus: { kafka: { brokers: ['127.0.0.1:9092'], sessionTimeout: 30s } }
responder: { commandTtl: 10m }
`;

export const settings: FuzzTarget = {
  name: 'settings',
  description: 'settings files',
  shortRuns: 200,
  outcomes: ['accepted', 'ERR_CONFIG_INVALID'],
  memoryMax: 16 << 20,
  open() {
    const folder = mkdtempSync(join(tmpdir(), 'rf-fuzz-'));
    chmodSync(folder, 0o700);
    const file = join(folder, 'ringfence.yaml');
    const load = (text: string | Buffer): string => {
      writeFileSync(file, text, { mode: 0o600 });
      return outcomeOf(() => loadConfig({ file, env: {} }), ConfigError);
    };
    const sections = ['sensor', 'detector', 'bus', 'responder', 'auditor', '__proto__', 'constructor'];
    const made = (random: Random): string =>
      `${random.pick(sections)}: { ${random.pick(['opens', 'rules', 'kafka', random.text().replaceAll(/\W/g, '') || 'x'])}: ${random.pick(['1', '-5', '1e999', '10s', '4MiB', '[a]', '{}', 'null', '~'])} }\n`;
    return {
      warmUp: () => void load(SETTINGS),
      generate: (random) => textBy(random, [SETTINGS], made),
      run: load,
      finish() {
        const outcome = load(SETTINGS);
        rmSync(folder, { recursive: true, force: true });
        if (outcome !== 'accepted') throw new Error(`right settings end in ${outcome}`);
      },
    };
  },
};
