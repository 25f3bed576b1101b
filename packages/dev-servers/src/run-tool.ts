import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { TestServerError } from './errors.ts';

const TOOL_TIMEOUT_MS = 5 * 60_000;
const SHOWN_LINES = 25;
const SHOWN_COMMAND = 300;
/** Debian omits these from the PATH of users other than root. */
const MORE = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Returns the path of the first of these programs that is on PATH. */
export function findProgram(...names: readonly string[]): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean), ...MORE];
  return names.flatMap((name) => directories.map((directory) => join(directory, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // A missing file and a file that is not executable are equally unusable.
    return false;
  }
}

/**
 * Runs a program to its end. Throws ERR_TESTKIT_TOOL with its last output if it fails or takes longer than `timeoutMs`.
 * @default timeoutMs 5 minutes
 */
export async function runTool(
  command: string,
  args: readonly string[],
  { timeoutMs = TOOL_TIMEOUT_MS, ...options }: { env?: NodeJS.ProcessEnv; cwd?: string; timeoutMs?: number } = {},
): Promise<string> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code === 0 ? '' : `exit ${code ?? signal}`));
  });
  const [out, err, failure] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (failure === '') return out;
  const tail = `${out}\n${err}`.trim().split('\n').slice(-SHOWN_LINES).join('\n');
  const shown = [command, ...args].join(' ').slice(0, SHOWN_COMMAND);
  throw new TestServerError('ERR_TESTKIT_TOOL', `${shown} failed (${failure}):\n${tail}`);
}
