import type { Paint } from '@ringfence/base';
import { durationText } from '@ringfence/base';
import type { JudgedEvent, JudgedRun, Misses, TestFailure, TestResult, TestRun } from '@ringfence/rule-lab';
import { type Explanation, type RuleSource, renderExplanation } from '@ringfence/rules';
import { type EventDocument, escapeText } from '@ringfence/schema';
import { counted } from '../shared/numbers.ts';
import { diagnosticsText } from './diagnostics-view.ts';

/** Each test on a line; of one that failed what was expected, what came, and why. `files`: the tables of tests. */
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
  const sum = `${counted(results.length - failed, 'test')} passed, ${failed} failed${faults.length === 0 ? '' : `, ${counted(faults.length, 'error')} in test files`}`;
  return [
    ...lines,
    ...(lines.length === 0 ? [] : ['']),
    failed + faults.length > 0 ? paint.red(sum) : paint.green(sum),
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

function failureLines({ of, expected, actual }: TestFailure, paint: Paint): string[] {
  return [
    `  ${of}:`,
    paint.green(`    - expected  ${escapeText(expected)}`),
    paint.red(`    + came      ${escapeText(actual)}`),
  ];
}

/** The event, what was laid over it, and each part of the condition. */
export function explanationLines({ number, document, laid, explanation }: JudgedEvent, paint: Paint): string[] {
  return [
    `  event ${number}: ${whatHappened(document)}`,
    ...(laid.length === 0 ? [] : [paint.dim(`  set on the event, not sent with it: ${laid.join(', ')}`)]),
    ...explained(explanation, paint),
  ];
}

/** Each event that is something to the rule, what it is, and what it has brought; then what is unfinished. */
export function runLines({ steps, rest }: JudgedRun, paint: Paint): string[] {
  const lines = steps.flatMap(({ number, atUs, document, explanation, says }) => {
    const what = document === undefined ? 'then' : `event ${number}: ${whatHappened(document)}`;
    return [
      `  ${what} ${paint.dim(`+${durationText(atUs)}`)}`,
      ...explained(explanation, paint),
      `    ${paint.bold('→')} ${escapeText(says)}`,
    ];
  });
  return [...lines, ...rest.map((one) => `  unfinished: ${escapeText(one)}`)];
}

/** What a rule asks for that no event had. */
export function missLines({ kinds, events, failed }: Misses, paint: Paint): string[] {
  const all = counted(events, 'event');
  if (failed.length === 0) return [`  none of ${all} is of a kind that it asks for`];
  const asked = Object.entries(kinds).map(([kind, count]) => `${count} ${kind}`);
  const width = String(failed[0]?.[1] ?? '').length;
  return [
    `  of ${all} it asks for ${asked.join(', ')}; what did not hold, and on how many${paint.dim(' (above: the nearest)')}:`,
    ...failed.map(([part, count]) => `    ${String(count).padStart(width)}  ${escapeText(part)}`),
  ];
}

function whatHappened(document: EventDocument): string {
  const text = (name: string): string => escapeText(String(document[name] ?? ''));
  const what = [
    text('event.action'),
    text('process.command_line') || text('process.executable'),
    text('file.path'),
    text('destination.ip'),
  ];
  return what.filter(Boolean).join(' ');
}

function explained(explanation: Explanation | undefined, paint: Paint): string[] {
  if (explanation === undefined) return [];
  const lines = renderExplanation(explanation, '    ').split('\n');
  return lines.map((line) => paintedPart(line, paint));
}

function paintedPart(line: string, paint: Paint): string {
  return line.replace(/[✓✗]/, (mark) => (mark === '✓' ? paint.green(mark) : paint.red(mark)));
}
