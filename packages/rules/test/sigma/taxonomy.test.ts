import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { auditd } from '../../src/sigma/sources/auditd.ts';
import { fileEventFiltered, kernelSources } from '../../src/sigma/sources/kernel-sources.ts';
import { anyLog, logServices } from '../../src/sigma/sources/log-sources.ts';
import type { LogSource, Mapping, Variant } from '../../src/sigma/sources/taxonomy.ts';
import { compile } from './support.ts';

const sources: Readonly<Record<string, LogSource>> = {
  ...kernelSources,
  ...logServices,
  fileEventFiltered,
  anyLog,
  auditd: auditd({ syscalls: true, filtered: true, reads: true }),
  'auditd without system calls': auditd({ syscalls: false, filtered: false, reads: false }),
};

const ofVariant = ({ field, when }: Variant): string[] => [`${field} exists`, ...(when === undefined ? [] : [when])];

function conditionsOf(mapping: Mapping): string[] {
  if (typeof mapping === 'string') return [`${mapping} exists`];
  if ('never' in mapping) return [];
  return 'values' in mapping ? Object.values(mapping.values) : mapping.any.flatMap(ofVariant);
}

describe('every condition and field of a Sigma log source is one that events can have', () => {
  for (const [name, { events, fields, text, shown }] of Object.entries(sources)) {
    test(name, () => {
      const conditions = new Set([
        events,
        ...Object.values(fields).flatMap(conditionsOf),
        ...text.flatMap(ofVariant),
        ...shown.map((field) => `${field} exists`),
      ]);
      const rules = [...conditions].map(
        (condition, i) => `- rule: rule ${i}\n  condition: ${JSON.stringify(condition)}\n`,
      );
      assert.deepEqual(
        compile(rules.join('')).diagnostics.map(
          ({ line, message }) => `${rules[Math.floor(line / 2) - 1]}: ${message}`,
        ),
        [],
      );
    });
  }
});
