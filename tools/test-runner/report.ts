import type { FileReport } from './file-report.ts';

/** Number of files in the list of the files with the most CPU time. */
const MAX_LISTED_FILES = 15;

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '    ');
}

/** Prints one line for the file and one for each skipped test. */
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

/** Prints each failure with stack and cause, and the output of its file. */
export function printFailures(reports: readonly FileReport[]): void {
  for (const { path, failures, output } of reports) {
    for (const { title, error } of failures) console.log(`\nFAIL ${path}\n  ${title}\n${indent(error)}`);
    if (failures.length > 0 && output.trim() !== '') console.log(`  ${path} printed:\n${indent(output.trimEnd())}`);
  }
}

/** Prints the CPU time of the run and the files that used most of it. @param serversMs CPU time of shared servers */
export function printCosts(reports: readonly FileReport[], serversMs: number): void {
  const sumMs = reports.reduce((sum, { cpuMs }) => sum + cpuMs, serversMs);
  const costliest = reports.toSorted((a, b) => b.cpuMs - a.cpuMs).slice(0, MAX_LISTED_FILES);
  console.log(
    `\nCPU ${seconds(sumMs)}, of which shared servers used ${seconds(serversMs)}; files that used most of it:`,
  );
  for (const { path, cpuMs, durationMs } of costliest)
    console.log(`${seconds(cpuMs).padStart(9)} in ${seconds(durationMs)}: ${path}`);
}

/** Prints the totals, the last line of a run. Returns the number of failures. */
export function printTotals(reports: readonly FileReport[]): number {
  const sum = (count: (report: FileReport) => number) => reports.reduce((total, report) => total + count(report), 0);
  const failed = sum((report) => report.failures.length);
  console.log(
    `${sum((report) => report.passed)} passed, ${failed} failed, ${sum((report) => report.skipped.length)} skipped`,
  );
  return failed;
}
