import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { type Paint, paintFor } from '@ringfence/base';

/** The command line of `ringfence`, run from source. */
export const RINGFENCE: readonly [node: string, ...args: string[]] = [
  process.execPath,
  '--conditions=@ringfence/source',
  '--disable-warning=ExperimentalWarning',
  join(import.meta.dirname, '../src/main.ts'),
];

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `ringfence` to its end, without the RINGFENCE_… variables of this process but with those of `env`. */
export function ringfence(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('RINGFENCE_'));
  const [node, ...command] = RINGFENCE;
  return new Promise((resolve) => {
    execFile(
      node,
      [...command, ...args],
      { env: { ...Object.fromEntries(inherited), ...env } },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

/** Paint of a stream that is no terminal. */
export const plain: Paint = paintFor(new Writable());

/** Text of an attacker that would control a terminal. */
export const HOSTILE = 'a\u001b[2Jb\nc\u202e';

/** Throws unless all control characters except line breaks are escaped. */
export function assertEscaped(text: string): void {
  const unescaped = [...text].filter((character) => character !== '\n' && /[\p{Cc}\p{Cf}]/u.test(character));
  assert.deepEqual(unescaped, [], JSON.stringify(text));
}
