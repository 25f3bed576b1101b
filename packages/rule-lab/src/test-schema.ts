import { catalogue } from '@ringfence/fields';
import { PRIORITIES } from '@ringfence/rules';
import type { TEST_KEYS } from './test-file.ts';

type Schema = Readonly<Record<string, unknown>>;
type Described<K extends string> = Readonly<Record<K, Schema>>;

const SCALAR = { type: ['string', 'number', 'boolean'] };
const VALUE = { anyOf: [SCALAR, { type: 'array', items: SCALAR }] };
const VALUE_REF = { $ref: '#/definitions/value' };
const COUNT = { type: 'integer', minimum: 0 };

const RULE: Schema = { type: 'string', description: 'name of the rule' };

/** Of an event: what is not a field. */
const EVENT: Schema = {
  after: {
    type: 'string',
    pattern: '^\\d+(us|ms|s|m|h|d)$',
    description: 'time since the event before; alone, time passes',
  },
  repeat: { type: 'integer', minimum: 1, maximum: 10_000, description: 'how often; {n} in a value counts from 1' },
};

const expect: Described<(typeof TEST_KEYS.expect)[number]> = {
  alerts: { ...COUNT, description: 'how many alerts of the rule' },
  priority: { enum: PRIORITIES, description: 'of the first alert' },
  output: { type: 'string', description: 'of the first alert, whole' },
};

const test: Described<(typeof TEST_KEYS.test)[number]> = {
  test: { type: 'string', description: 'what the case is' },
  rule: RULE,
  events: {
    description: 'events by field names',
    anyOf: [{ $ref: '#/definitions/event' }, { type: 'array', items: { $ref: '#/definitions/event' } }],
  },
  recording: { type: 'string', description: 'a recording instead of events, relative to this file' },
  expect: {
    anyOf: [{ enum: ['alert', 'none'] }, COUNT, { type: 'object', additionalProperties: false, properties: expect }],
  },
};

const file: Described<(typeof TEST_KEYS.file)[number]> = {
  rule: { ...RULE, description: 'name of the rule, of tests that name none' },
  tests: {
    type: 'array',
    items: { type: 'object', additionalProperties: false, required: ['test', 'expect'], properties: test },
  },
};

/** A JSON Schema of `.test.yaml` files, for editors: with all names of fields, and what they mean. */
export function testFileSchema(): Schema {
  const fields = catalogue.fields.map(({ name, doc }) => [name, { allOf: [VALUE_REF], description: doc }] as const);
  const arguments_ = catalogue.fields
    .filter(({ argument }) => argument !== undefined)
    .map(({ name }) => [`^${name.replaceAll('.', '\\.')}\\[.+\\]$`, VALUE_REF] as const);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Tests of Ringfence rules',
    type: 'object',
    additionalProperties: false,
    required: ['tests'],
    properties: file,
    definitions: {
      value: VALUE,
      event: {
        type: 'object',
        properties: { ...EVENT, ...Object.fromEntries(fields) },
        patternProperties: Object.fromEntries(arguments_),
      },
    },
  };
}
