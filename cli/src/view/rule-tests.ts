import { renderExplanation } from '@ringfence/rules';
import { escapeText } from '@ringfence/schema';
import type { JudgedEvent } from '../rules/events/judge.ts';
import type { TestFailure, TestResult, TestRun } from '../rules/test.ts';
import { counted } from './counted.ts';
import type { Paint } from './paint.ts';

/** Each test on a line; of one that failed what was expected, what came, and why. */
export function testRunText({ results, faults }: TestRun, quiet: boolean, paint: Paint): string {
  const shown = results.filter(({ failures }) => !quiet || failures.length > 0);
  const lines = [
    ...shown.map((result) => testText(result, paint)),
    ...faults.map(
      ({ file, line, column, message }) => `${file}:${line}:${column}: ${paint.red('error:')} ${escapeText(message)}`,
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
  const text = (name: string): string => escapeText(String(document[name] ?? ''));
  const what = [
    text('event.action'),
    text('process.command_line') || text('process.executable'),
    text('file.path'),
    text('destination.ip'),
  ];
  return [
    `  event ${number}: ${what.filter(Boolean).join(' ')}`,
    ...(laid.length === 0 ? [] : [paint.dim(`  set on the event, not sent with it: ${laid.join(', ')}`)]),
    ...(explanation === undefined
      ? []
      : renderExplanation(explanation, '    ')
          .split('\n')
          .map((line) => paintedPart(line, paint))),
  ];
}

function paintedPart(line: string, paint: Paint): string {
  return line.replace(/[✓✗]/, (mark) => (mark === '✓' ? paint.green(mark) : paint.red(mark)));
}
