import assert from 'node:assert/strict';
import { type CompileOptions, compileRules, type RuleSet } from '../../src/rule-set.ts';
import { catalogue, createTestEvent, kinds, type TestEvent } from './events.ts';

export function compile(text: string, more: Partial<CompileOptions<TestEvent>> = {}): RuleSet<TestEvent> {
  return compileRules({ sources: [{ name: 'test.yaml', text }], catalogue, kinds, ...more });
}

/** Returns a set of one rule `r` with this condition. */
export function compileCondition(
  condition: string,
  definitions = '',
  more: Partial<CompileOptions<TestEvent>> = {},
): RuleSet<TestEvent> {
  return compile(`${definitions}\n- rule: r\n  condition: ${JSON.stringify(condition)}\n`, more);
}

export function matches(set: RuleSet<TestEvent>, event: TestEvent, timeUs = 0): string[] {
  const names: string[] = [];
  set.matcher.match(event, (rule) => names.push(rule.name), timeUs);
  return names;
}

/** Whether a condition holds on an event; throws the compiler's errors. */
export function holds(condition: string, event: TestEvent, definitions = ''): boolean {
  const set = compileCondition(condition, definitions);
  const errors = set.diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('; '));
  return matches(set, event).length === 1;
}

/** Expects the first diagnostic of a rule to be this error. */
export function refuses(text: string, message: RegExp): void {
  const [first] = compile(text).diagnostics;
  assert.equal(first?.severity, 'error');
  assert.match(first.message, message);
}

export { createTestEvent };
