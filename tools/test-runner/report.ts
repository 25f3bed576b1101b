import type { FileReport } from './file-report.ts';

/** Of those that cost the most CPU so many are listed. */
const LISTED = 15;

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '    ');
}

/** One line a file, then a line for each test it skipped. */
export function printFile(report: FileReport): void {
  const counts = [`${report.passed} passed`];
  if (report.failures.length > 0) counts.push(`${report.failures.length} failed`);
  if (report.skipped.length > 0) counts.push(`${report.skipped.length} skipped`);
  const cpu = report.cpuMs > 0 ? `, CPU ${seconds(report.cpuMs)}` : '';
  console.log(
    `${report.failures.length > 0 ? 'FAIL' : 'ok  '} ${report.path}: ${counts.join(', ')} (${seconds(report.durationMs)}${cpu})`,
  );
  for (const { title, reason } of report.skipped) console.log(`       skipped: ${title}: ${reason}`);
}

/** Each failure whole: its error with stack and cause, and what its file printed. */
export function printFailures(reports: readonly FileReport[]): void {
  for (const { path, failures, output } of reports) {
    for (const { title, error } of failures) console.log(`\nFAIL ${path}\n  ${title}\n${indent(error)}`);
    if (failures.length > 0 && output.trim() !== '') console.log(`  ${path} printed:\n${indent(output.trimEnd())}`);
  }
}

/** What a run costs, and where to look when that is to become less. @param othersMs CPU time of servers that files share */
export function printCosts(reports: readonly FileReport[], othersMs: number): void {
  const sumMs = reports.reduce((sum, { cpuMs }) => sum + cpuMs, othersMs);
  const costliest = reports.toSorted((a, b) => b.cpuMs - a.cpuMs).slice(0, LISTED);
  console.log(`\nCPU ${seconds(sumMs)}, of that ${seconds(othersMs)} in servers that files share; most of it in`);
  for (const { path, cpuMs, durationMs } of costliest)
    console.log(`${seconds(cpuMs).padStart(9)} in ${seconds(durationMs)}: ${path}`);
}

/** The last line of a run. Returns the number of failures. */
export function printTotals(reports: readonly FileReport[]): number {
  const sum = (count: (report: FileReport) => number) => reports.reduce((total, report) => total + count(report), 0);
  const failed = sum((report) => report.failures.length);
  console.log(
    `${sum((report) => report.passed)} passed, ${failed} failed, ${sum((report) => report.skipped.length)} skipped`,
  );
  return failed;
}
