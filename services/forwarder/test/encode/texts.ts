import fc from 'fast-check';
import type { Item } from '../../src/sink.ts';
import { HOSTILE } from '../kinds/hostile.ts';
import { alertItem } from '../support.ts';

/** Fields of the document that formats print. */
const FIELDS = [
  'message',
  'host.id',
  'host.name',
  'user.name',
  'rule.name',
  'event.action',
  'process.executable',
  'process.command_line',
  'process.parent.executable',
  'container.name',
  'container.image.name',
] as const;

type Texts = Readonly<
  Partial<Record<(typeof FIELDS)[number] | 'file.path' | 'source.ip' | 'destination.port', string>>
>;

/** Characters that end or begin something in one of the formats, or that a line must not have. */
const SPECIAL = [
  '|',
  '=',
  '\\',
  ' ',
  '\t',
  '\n',
  '\r',
  '\r\n',
  '\0',
  '\u0085',
  '\u2028',
  '^',
  ' cs1=',
  'msg=',
  '\\n',
  '🦀',
  'é',
];

const text: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.array(fc.oneof(fc.constantFrom(...SPECIAL), fc.string({ unit: 'binary' }))).map((parts) => parts.join('')),
  // An emoji is two units of UTF-16: some of these lengths divide it at the longest value.
  fc.integer({ min: 3990, max: 4010 }).map((length) => `${'a'.repeat(length)}🦀=|`),
  fc.integer({ min: 500, max: 515 }).map((length) => `${'a'.repeat(length)}🦀=|`),
);

const texts: fc.Arbitrary<Texts> = fc.record(
  {
    ...(Object.fromEntries(FIELDS.map((field) => [field, text])) as Record<(typeof FIELDS)[number], typeof text>),
    'file.path': text,
    'source.ip': fc.oneof(text, fc.ipV4(), fc.ipV6()),
    'destination.port': fc.oneof(text, fc.integer({ min: -1, max: 70_000 }).map(String)),
  },
  { requiredKeys: [] },
);

/** Calls `check` with alerts whose texts are hostile, and with these texts. */
export function withHostileTexts(check: (item: Item, texts: Texts) => void): void {
  fc.assert(
    fc.property(texts, (given) => {
      const { 'file.path': path, 'source.ip': source, 'destination.port': port, ...fields } = given;
      const named = Object.entries({ 'file.path': path, 'source.ip': source, 'destination.port': port });
      const list = named.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
      const item = alertItem(1);
      check({ ...item, document: { ...fields, 'ringfence.alert.fields': list } } as Item, given);
    }),
    { numRuns: 1000 },
  );
}
