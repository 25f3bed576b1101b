import { OperatorError } from '@ringfence/base';
import { compileDetectorRules } from '@ringfence/detector';
import type { EventDocument } from '@ringfence/fields';
import { attackTechnique, PRIORITIES, type RuleSource, render } from '@ringfence/rules';
import { executableName } from '@ringfence/wire';
import { Document, isScalar, isSeq, Scalar, visit } from 'yaml';

export interface NewRule {
  readonly name: string;
  readonly description: string | undefined;
  readonly condition: string | undefined;
  readonly priority: string;
  readonly technique: string | undefined;
  /** Event that the rule must match. @default an example */
  readonly event: EventDocument | undefined;
}

export interface Scaffold {
  /** Base name of both files, without their extensions. */
  readonly base: string;
  readonly rule: string;
  readonly test: string;
}

const EXAMPLE: EventDocument = {
  'event.action': 'exec',
  'process.executable': '/usr/bin/bash',
  'process.command_line': 'bash -i',
  'process.parent.executable': '/usr/sbin/nginx',
};

/** Fields that distinguish an event, the most specific first. The condition uses those that the event has. */
const CONDITION: readonly string[] = [
  'process.name',
  'process.parent.name',
  'file.path',
  'file.target_path',
  'destination.port',
];

/** Fields that describe an event in a test. */
const WRITTEN: readonly string[] = [
  'event.action',
  'event.outcome',
  'process.executable',
  'process.command_line',
  'process.parent.executable',
  'process.parent.command_line',
  'process.exec.memfd',
  'process.exec.deleted',
  'user.id',
  'user.effective.id',
  'user.name',
  'container.name',
  'container.image.name',
  'container.security_context.privileged',
  'file.path',
  'file.target_path',
  'file.mode',
  'file.open.read',
  'file.open.write',
  'file.open.create',
  'destination.ip',
  'destination.port',
  'source.ip',
  'source.port',
  'network.transport',
  'network.unix.path',
  'mount.source',
  'mount.target',
  'message',
];

/** Returns a rule that matches the event, and its test with the event and a near miss. Throws OperatorError. */
export function scaffold(asked: NewRule): Scaffold {
  const { name, priority, technique } = asked;
  if (!(PRIORITIES as readonly string[]).includes(priority))
    throw new OperatorError(`--priority ${priority}: expected one of ${PRIORITIES.join(', ')}`);
  const known = technique === undefined ? undefined : attackTechnique(technique);
  if (technique !== undefined && known === undefined)
    throw new OperatorError(`--technique ${technique}: ATT&CK has no such technique`);
  const event = asked.event ?? EXAMPLE;
  const condition = asked.condition ?? conditionFor(event);
  const rule = {
    rule: name,
    desc: asked.description ?? `${name}: describe what happened, for the person on call.`,
    condition,
    output: outputFor(event),
    priority,
    ...(known === undefined ? {} : { tags: [known.tactics[0], known.id] }),
  };
  const written = writtenFields(event);
  const miss = { ...written, 'process.executable': '/usr/bin/true', 'process.command_line': 'true' };
  const test = {
    rule: name,
    tests: [
      { test: 'the event that the rule is for', events: [written], expect: 'alert' },
      { test: 'the most similar event on a healthy machine', events: [miss], expect: 'none' },
    ],
  };
  const base = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  if (base === '') throw new OperatorError(`'${name}': the name of a rule must contain letters or digits`);
  const made = { base, rule: yamlText([rule], 'output'), test: yamlText(test) };
  refuseWrong({ name: `${base}.yaml`, text: made.rule });
  return made;
}

/** Errors that another file can resolve. */
const RESOLVED_BY_OTHER_FILES: ReadonlySet<string> = new Set(['unknown-macro', 'unknown-list']);

/** Throws OperatorError if the condition has an error that no other file can resolve. */
function refuseWrong(source: RuleSource): void {
  const { diagnostics } = compileDetectorRules([source], 'hunt');
  const wrong = diagnostics.find(({ severity, code }) => severity === 'error' && !RESOLVED_BY_OTHER_FILES.has(code));
  if (wrong !== undefined) throw new OperatorError(render(wrong, source.text));
}

/** Returns the fields that describe an event in a test. */
export function writtenFields(event: EventDocument): Record<string, string> {
  const present = WRITTEN.filter((name) => event[name] !== undefined && event[name] !== false && event[name] !== '');
  return Object.fromEntries(present.map((name) => [name, textOf(event, name)]));
}

function conditionFor(event: EventDocument): string {
  const named = {
    ...event,
    'process.name': executableName(textOf(event, 'process.executable')),
    'process.parent.name': executableName(textOf(event, 'process.parent.executable')),
  };
  const parts = CONDITION.filter(
    (name) => (named as EventDocument)[name] !== undefined && textOf(named as EventDocument, name) !== '',
  );
  return [
    `event.action = ${textOf(event, 'event.action')}`,
    ...parts.map((name) => `${name} = ${quoted(textOf(named as EventDocument, name))}`),
  ].join(' and ');
}

function outputFor(event: EventDocument): string {
  const about = ['file.path', 'destination.ip'].find((name) => event[name] !== undefined);
  return `%process.command_line${about === undefined ? '' : `: %${about}`} (user %user.name, started by %process.parent.name)`;
}

function textOf(event: EventDocument, name: string): string {
  const value = event[name];
  return typeof value === 'object' ? value.join(' ') : String(value ?? '');
}

function quoted(text: string): string {
  return /^[\w/][\w/-]*$/.test(text) ? text : `'${text.replace(/\\(?=[\\'"]|$)/g, '\\\\').replaceAll("'", "\\'")}'`;
}

function yamlText(value: unknown, ...inQuotes: readonly string[]): string {
  const document = new Document(value);
  visit(document, {
    Pair(_, { key, value: node }) {
      if (isScalar(key) && isScalar(node) && inQuotes.includes(String(key.value))) node.type = Scalar.QUOTE_DOUBLE;
      if (isScalar(key) && key.value === 'tags' && isSeq(node)) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 120, flowCollectionPadding: false });
}
