import { catalogue, eventKinds } from '@ringfence/fields';
import type { FieldCatalogue, FieldValue } from '../../src/model/catalogue.ts';
import { type CompileOptions, compileRules, type RuleSet } from '../../src/rule-set.ts';

/** An event with values of the product's fields, by name; `process.args[0]` is one argument. */
export interface Event {
  readonly kind: string;
  readonly values: Readonly<Record<string, FieldValue>>;
}

function read(
  { name, constants }: { name: string; constants?: object },
  { kind, values }: Event,
  argument?: string | number,
): FieldValue {
  if (argument !== undefined) return values[`${name}[${argument}]`];
  return values[name] ?? (constants as Record<string, FieldValue> | undefined)?.[kind];
}

const fields: FieldCatalogue<Event> = {
  fields: catalogue.fields.map(({ subject: _, part: __, locate: ___, ...field }) => ({
    ...field,
    get: (event, argument) => read(field, event, argument),
  })),
};

export function compile(text: string, options: Partial<CompileOptions<Event>> = {}): RuleSet<Event> {
  const kinds = { names: eventKinds.names, of: ({ kind }: Event) => kind };
  return compileRules({ sources: [{ name: 'test.yml', text }], catalogue: fields, kinds, ...options });
}

export function exec(commandLine: string, values: Event['values'] = {}): Event {
  const args = commandLine.split(' ');
  const each = Object.fromEntries(args.map((arg, i) => [`process.args[${i}]`, [arg]]));
  const executable = args[0] ?? '';
  return {
    kind: 'exec',
    values: {
      'process.command_line': commandLine,
      'process.executable': executable,
      'process.args': args,
      'process.exec.filename': executable,
      ...each,
      ...values,
    },
  };
}

export function line(message: string, values: Event['values'] = {}): Event {
  return { kind: 'log', values: { message, ...values } };
}

/** Returns the names of the rules that match, one event after the other, a second apart. */
export function matches(set: RuleSet<Event>, ...events: Event[]): string[] {
  const names: string[] = [];
  for (const [i, event] of events.entries()) set.matcher.match(event, ({ name }) => names.push(name), i * 1_000_000);
  return names;
}

/** Returns a rule of process_creation with this detection, written as YAML. */
export function rule(detection: string, head = ''): string {
  const body = detection
    .trim()
    .split('\n')
    .map((text) => `    ${text}`)
    .join('\n');
  return `title: Test\n${head}logsource:\n    product: linux\n    category: process_creation\ndetection:\n${body}\n`;
}

/** Whether a rule of process_creation with one selection matches; throws its diagnostics. */
export function selects(selection: string, event: Event, options: Partial<CompileOptions<Event>> = {}): boolean {
  const lines = selection
    .trim()
    .split('\n')
    .map((text) => `    ${text}`)
    .join('\n');
  const set = compile(rule(`selection:\n${lines}\ncondition: selection`), options);
  if (set.diagnostics.length > 0) throw new Error(set.diagnostics.map(({ message }) => message).join('; '));
  return matches(set, event).length === 1;
}
