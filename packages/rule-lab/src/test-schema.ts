import { catalogue, type Field } from '@ringfence/fields';
import { PRIORITIES } from '@ringfence/rules';
import type { EVENT_KEYS } from './events/given.ts';
import type { TEST_KEYS } from './test-file.ts';

type Schema = Readonly<Record<string, unknown>>;
type Described<K extends string> = Readonly<Record<K, Schema>>;

const SCALAR = { type: ['string', 'number', 'boolean'] };
const VALUE = { anyOf: [SCALAR, { type: 'array', items: SCALAR }] };
const VALUE_REF = { $ref: '#/definitions/value' };
const COUNT = { type: 'integer', minimum: 0 };
const TEXT = { type: 'string' };
const TEXTS = { type: 'array', items: TEXT };
const PRIORITY = { enum: PRIORITIES };
const EVENTS = {
  anyOf: [{ $ref: '#/definitions/event' }, { type: 'array', items: { $ref: '#/definitions/event' } }],
};
const LINE = {
  anyOf: [TEXT, { type: 'array', items: { anyOf: [TEXT, { $ref: '#/definitions/process' }] } }],
};

const RULE: Schema = { ...TEXT, description: 'name of the rule' };
const RULES: Schema = { enum: ['all', 'recommended'], description: 'instead of one rule: these rules together' };
const EXEC: Schema = { ...TEXT, description: 'command line that is executed; quotes hold words together' };

const event: Described<(typeof EVENT_KEYS)[number]> = {
  exec: EXEC,
  process: {
    ...LINE,
    description:
      'process that acts: its name, or its command line, which begins with a slash; of a list each starts the next',
  },
  parent: {
    ...LINE,
    description: 'parent of the process that starts. Default: the login shell, or the first process of the container',
  },
  target: { ...LINE, description: 'process that is acted upon' },
  as: { ...TEXT, description: 'name of the process for later events' },
  agent: { enum: ['stops'], description: 'the agent stops' },
  after: {
    type: 'string',
    pattern: '^\\d+(us|ms|s|m|h|d)$',
    description: 'time since the event before; alone, time passes',
  },
  repeat: {
    type: 'integer',
    minimum: 1,
    maximum: 10_000,
    description: 'number of times; {n} in a value counts from 1',
  },
  events: { type: 'array', items: { $ref: '#/definitions/event' }, description: 'events that are repeated together' },
};

const expect: Described<(typeof TEST_KEYS.expect)[number]> = {
  alerts: { ...COUNT, description: 'number of alerts' },
  priority: { ...PRIORITY, description: 'priority of the first alert' },
  output: { ...TEXT, description: 'output of the first alert' },
  rules: { ...TEXTS, description: 'names of the rules that raise an alert' },
  tactics: { ...TEXTS, description: 'tactics of the rules that raise an alert' },
  from: { ...PRIORITY, description: 'lowest priority that counts' },
};

const test: Described<(typeof TEST_KEYS.test)[number]> = {
  test: { ...TEXT, description: 'what happens, as a sentence' },
  rule: RULE,
  rules: RULES,
  events: { ...EVENTS, description: 'events by field names, or command lines' },
  recording: { ...TEXT, description: 'a recording instead of events, relative to this file' },
  expect: {
    anyOf: [{ enum: ['alert', 'none'] }, COUNT, { type: 'object', additionalProperties: false, properties: expect }],
  },
};

const group: Described<(typeof TEST_KEYS.group)[number]> = {
  rule: { ...RULE, description: 'name of the rule, for tests that name none' },
  rules: RULES,
  tests: {
    type: 'array',
    items: { type: 'object', additionalProperties: false, required: ['test', 'expect'], properties: test },
  },
};

/** Returns a JSON Schema of `.test.yaml` files for editors, with the names and meanings of all fields. */
export function testFileSchema(): Schema {
  const ofProcess = catalogue.fields.filter(({ kinds }) => kinds === undefined || kinds.includes('exec'));
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Tests of Ringfence rules',
    anyOf: [
      { $ref: '#/definitions/group' },
      { type: 'array', items: { anyOf: [{ $ref: '#/definitions/group' }, { $ref: '#/definitions/definition' }] } },
    ],
    definitions: {
      value: VALUE,
      group: { type: 'object', additionalProperties: false, required: ['tests'], properties: group },
      event: { anyOf: [EXEC, { type: 'object', ...fieldsOf(catalogue.fields, event) }] },
      process: { type: 'object', ...fieldsOf(ofProcess, { exec: EXEC }) },
      definition: {
        type: 'object',
        required: ['process'],
        description: 'a process that tests of this file name',
        ...fieldsOf(ofProcess, { process: { ...TEXT, description: 'its name' }, exec: EXEC, parent: event.parent }),
      },
    },
  };
}

function fieldsOf(fields: readonly Field[], keys: Readonly<Record<string, Schema>>): Schema {
  const named = fields.map(({ name, doc }) => [name, { allOf: [VALUE_REF], description: doc }] as const);
  const withArgument = fields
    .filter(({ argument }) => argument !== undefined)
    .map(({ name }) => [`^${name.replaceAll('.', '\\.')}\\[.+\\]$`, VALUE_REF] as const);
  return { properties: { ...keys, ...Object.fromEntries(named) }, patternProperties: Object.fromEntries(withArgument) };
}
