import { resolve } from 'node:path';
import { paintFor } from '@ringfence/base';
import { compare, readBaseline, scan, writeBaseline } from '@ringfence/collector';
import { untilInterrupted } from '@ringfence/runtime/process';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { print, printJson } from '../shared/context.ts';
import { changesText, pathText } from './view.ts';

interface Options {
  readonly file: string;
  readonly sha256?: string;
  readonly json?: boolean;
}

const DEFAULT_FILE = 'ringfence-fim.jsonl';
const TOLD_EVERY_MS = 500;

export function addFim(program: Command): void {
  const fim = program.command('fim').description(DESCRIPTIONS.fim);
  fim
    .command('baseline')
    .argument('<path...>', 'files and directories; other file systems mounted below them are left out')
    .description('remember the files below these paths')
    .option('--file <file>', 'where it is kept', DEFAULT_FILE)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Prints the SHA-256 of what it has written. Keep that elsewhere: an attacker who changes a file can change the baseline too.

Example:
  ringfence fim baseline /etc /usr/bin /usr/sbin /usr/lib --file /root/fim.jsonl`,
    )
    .action(async (paths: string[], options: Options) => {
      const absolute = paths.map((path) => resolve(path));
      const files = await walk(absolute);
      const sha256 = writeBaseline(options.file, { paths: absolute, at: new Date().toISOString(), files });
      if (options.json) printJson({ file: options.file, sha256, files: files.size });
      else print(`${files.size} files are remembered in ${options.file}\nsha256 ${sha256}`);
    });
  fim
    .command('diff')
    .description('tell what has changed since the baseline')
    .option('--file <file>', 'the baseline', DEFAULT_FILE)
    .option('--sha256 <hash>', 'what fim baseline printed: the baseline itself must be unchanged')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExit code 1 when something has changed.\n\nExample:\n  ringfence fim diff --file /root/fim.jsonl',
    )
    .action(async ({ file, sha256, json }: Options) => {
      const { at, paths, files } = readBaseline(file, sha256);
      const changes = compare(files, await walk(paths));
      if (json) printJson({ at, paths, files: files.size, changes }, 2);
      else print(changesText(changes, at, files.size, paintFor(process.stdout)));
      if (changes.length > 0) process.exitCode = 1;
    });
}

/** Says on a terminal how far it is. */
async function walk(paths: readonly string[]) {
  const signal = untilInterrupted();
  let count = 0;
  let toldAt = performance.now();
  const onPath = (path: string): void => {
    count++;
    if (!process.stderr.isTTY || performance.now() - toldAt < TOLD_EVERY_MS) return;
    toldAt = performance.now();
    process.stderr.write(`\r${count} files, at ${pathText(path).slice(0, 80)}\u001b[K`);
  };
  try {
    return await scan({ paths, onPath, signal });
  } finally {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  }
}
