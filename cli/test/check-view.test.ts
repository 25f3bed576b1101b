/** The report of `ringfence rules check`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkRules } from '@ringfence/rule-lab';
import { checkText } from '../src/rules/check-view.ts';
import { plain } from './support.ts';

function reportOf(text: string, all = false): string {
  const sources = [{ name: 'r.yaml', text }];
  return checkText(checkRules({ sources, asked: new Set(['r.yaml']) }), sources, all, plain);
}

test('rules without a witness are listed by cause, with their reasons', () => {
  const text = `- rule: Clash
  condition: event.action = exec and process.name startswith a and process.name startswith b
- rule: Fine
  condition: event.action = exec and process.name = a
- rule: Bound
  condition: event.action = connect and destination.port > 70000
`;
  const report = reportOf(text);
  assert.match(
    report,
    /^Witnesses: 1 of 3 rules; 2 can't match, 0 are not decided\n {2}parts of the rule exclude each other \(1\)\n {4}Clash: process\.name startswith 'a' contradicts process\.name startswith 'b'\n {2}the kernel has no such event or value \(1\)\n {4}Bound: destination\.port > 70000: destination\.port is at most 65535$/m,
  );
  assert.match(report, /^1 file, 3 active rules: 0 errors, 2 warnings$/m);
});

test('a long report is summed up by reasons, unless all is asked for', () => {
  const text = Array.from(
    { length: 200 },
    (_, i) =>
      `- rule: Rule ${i}\n  condition: event.action = exec and process.name = a${i} and not process.args = b${i}\n`,
  ).join('');
  const report = reportOf(text);
  assert.ok(report.split('\n').length < 10, report);
  assert.match(report, /^ {3}200 warning excuse: rule … has an excuse that an attacker can make hold$/m);
  assert.match(report, /r\.yaml:1 Rule 0, r\.yaml:3 Rule 1, r\.yaml:5 Rule 2 … and 197 more/);
  assert.equal(reportOf(text, true).match(/has an excuse/g)?.length, 200);
});
