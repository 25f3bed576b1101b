import { resolve } from 'node:path';
import { paintFor } from '@ringfence/base';
import { compare, readBaseline, scan, writeBaseline } from '@ringfence/host-facts';
import { untilInterrupted } from '@ringfence/runtime/process';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { print, printJson, withReason } from '../shared/context.ts';
import { counted, grouped } from '../shared/numbers.ts';
import { changesText, pathText } from './view.ts';

interface Options {
  readonly file: string;
  readonly sha256?: string;
  readonly json?: boolean;
}

const DEFAULT_FILE = 'ringfence-fim.jsonl';
const PROGRESS_MS = 500;

export function addFim(program: Command): void {
  const fim = program.command('fim').description(DESCRIPTIONS.fim);
  withReason(fim.command('baseline'))
    .argument('<path...>', 'files and directories; file systems mounted below them are skipped')
    .description('save a baseline of all files below these paths')
    .option('--file <file>', 'file of the baseline', DEFAULT_FILE)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Prints the SHA-256 of the baseline. Store it on another machine: an attacker who changes a file can change the
baseline too.

Example:
  ringfence fim baseline /etc /usr/bin /usr/sbin /usr/lib --file /root/fim.jsonl`,
    )
    .action(async (paths: string[], options: Options) => {
      const absolute = paths.map((path) => resolve(path));
      const files = await walk(absolute);
      const sha256 = writeBaseline(options.file, { paths: absolute, at: new Date().toISOString(), files });
      if (options.json) printJson({ file: options.file, sha256, files: files.size });
      else print(`baseline of ${counted(files.size, 'file')} saved in ${options.file}\nsha256 ${sha256}`);
    });
  fim
    .command('diff')
    .description('report the files that changed since the baseline')
    .option('--file <file>', 'file of the baseline', DEFAULT_FILE)
    .option('--sha256 <hash>', 'SHA-256 that fim baseline printed; refuse a baseline that differs')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExit code 1 if a file changed.\n\nExample:\n  ringfence fim diff --file /root/fim.jsonl')
    .action(async ({ file, sha256, json }: Options) => {
      const { at, paths, files } = readBaseline(file, sha256);
      const changes = compare(files, await walk(paths));
      if (json) printJson({ at, paths, files: files.size, changes }, 2);
      else print(changesText(changes, at, files.size, paintFor(process.stdout)));
      if (changes.length > 0) process.exitCode = 1;
    });
}

/** Scans the paths and shows the progress on a terminal. */
async function walk(paths: readonly string[]) {
  const signal = untilInterrupted();
  let count = 0;
  let shownAt = performance.now();
  const onPath = (path: string): void => {
    count++;
    if (!process.stderr.isTTY || performance.now() - shownAt < PROGRESS_MS) return;
    shownAt = performance.now();
    process.stderr.write(`\r${grouped(count)} files, now ${pathText(path).slice(0, 80)}\u001b[K`);
  };
  try {
    return await scan({ paths, onPath, signal });
  } finally {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  }
}
