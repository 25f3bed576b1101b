import { durationText, type Paint } from '@ringfence/base';
import type { EventDocument } from '@ringfence/fields';
import type { JudgedEvent, JudgedRun, Misses, TestFailure, TestResult, TestRun } from '@ringfence/rule-lab';
import { type Explanation, type RuleSource, renderExplanation } from '@ringfence/rules';
import { escapeText } from '@ringfence/wire';
import { counted } from '../shared/numbers.ts';
import { diagnosticsText } from './diagnostics-view.ts';

/** Formats each test as a line, and below a failed test the expected and actual results. `files`: the test files. */
export function testRunText(
  { results, faults }: TestRun,
  files: readonly RuleSource[],
  quiet: boolean,
  paint: Paint,
): string {
  const shown = results.filter(({ failures }) => !quiet || failures.length > 0);
  const lines = [
    ...shown.map((result) => testText(result, paint)),
    ...faults.map((fault) =>
      diagnosticsText([{ ...fault, severity: 'error', code: 'test', hint: '', item: '' }], files, paint),
    ),
  ];
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  const broken = faults.length === 0 ? '' : `, ${counted(faults.length, 'error')} in test files`;
  const summary = `${counted(results.length - failed, 'test')} passed, ${failed} failed${broken}`;
  return [
    ...lines,
    ...(lines.length === 0 ? [] : ['']),
    failed + faults.length > 0 ? paint.red(summary) : paint.green(summary),
  ].join('\n');
}

function testText(result: TestResult, paint: Paint): string {
  const { test, failures, nearest } = result;
  const title = `${escapeText(test.rule)} ${paint.dim('·')} ${escapeText(test.title)}`;
  if (failures.length === 0) return `${paint.green('✓')} ${title}`;
  return [
    `${paint.red('✗')} ${title}`,
    paint.dim(`  ${test.file}:${test.line}`),
    ...failures.flatMap((failure) => failureLines(failure, paint)),
    ...(nearest === undefined ? [] : explanationLines(nearest, paint)),
  ].join('\n');
}

function failureLines({ of: subject, expected, actual }: TestFailure, paint: Paint): string[] {
  return [
    `  ${subject}:`,
    paint.green(`    - expected  ${escapeText(expected)}`),
    paint.red(`    + actual    ${escapeText(actual)}`),
  ];
}

/** Formats the event, the fields that are set directly, and each part of the condition. */
export function explanationLines(
  { number, document, laid: overrides, explanation }: JudgedEvent,
  paint: Paint,
): string[] {
  return [
    `  event ${number}: ${eventSummary(document)}`,
    ...(overrides.length === 0 ? [] : [paint.dim(`  set directly, not by enrichment: ${overrides.join(', ')}`)]),
    ...conditionLines(explanation, paint),
  ];
}

/** Formats each event that concerns the rule, with its effect on the rule; then the matches that are incomplete. */
export function runLines({ steps, rest: incomplete }: JudgedRun, paint: Paint): string[] {
  const lines = steps.flatMap(({ number, atUs, document, explanation, says: effect }) => {
    const title = document === undefined ? 'timer' : `event ${number}: ${eventSummary(document)}`;
    return [
      `  ${title} ${paint.dim(`+${durationText(atUs)}`)}`,
      ...conditionLines(explanation, paint),
      `    ${paint.bold('→')} ${escapeText(effect)}`,
    ];
  });
  return [...lines, ...incomplete.map((match) => `  incomplete: ${escapeText(match)}`)];
}

/** Formats why no event matched the rule: the parts of its condition that failed, and on how many events. */
export function missLines({ kinds, events, failed }: Misses): string[] {
  const all = counted(events, 'event');
  if (failed.length === 0) return [`  none of ${all} is of a kind that the rule looks at`];
  const byKind = Object.entries(kinds).map(([kind, count]) => `${count} ${kind}`);
  const width = String(failed[0]?.[1] ?? '').length;
  return [
    `  the rule looks at ${byKind.join(', ')} of ${all}; the closest is above. Failed parts, with their number of events:`,
    ...failed.map(([part, count]) => `    ${String(count).padStart(width)}  ${escapeText(part)}`),
  ];
}

function eventSummary(document: EventDocument): string {
  const text = (name: string): string => escapeText(String(document[name] ?? ''));
  const parts = [
    text('event.action'),
    text('process.command_line') || text('process.executable'),
    text('file.path'),
    text('destination.ip'),
  ];
  return parts.filter(Boolean).join(' ');
}

function conditionLines(explanation: Explanation | undefined, paint: Paint): string[] {
  if (explanation === undefined) return [];
  const lines = renderExplanation(explanation, '    ').split('\n');
  return lines.map((line) => paintMark(line, paint));
}

function paintMark(line: string, paint: Paint): string {
  return line.replace(/[✓✗]/, (mark) => (mark === '✓' ? paint.green(mark) : paint.red(mark)));
}
