import { spawn } from 'node:child_process';

/** A problem that the user must solve. The message describes the solution. */
export class SetupError extends Error {}

const TICK_MS = 1000;
const LINES_EVERY_TICKS = 15;
const MAX_OUTPUT_CHARS = 1 << 20;

/** Prints a line to stderr, because stdout belongs to the command that is started afterwards. */
export function printProgress(line) {
  process.stderr.write(`${line}\n`);
}

/** Shows `title` with the elapsed seconds: in place on a terminal, elsewhere as a line every 15 s. */
function startProgress(title) {
  const started = Date.now();
  const terminal = process.stderr.isTTY === true;
  let ticks = 0;
  if (!terminal) printProgress(`${title} …`);
  const draw = () => {
    ticks += 1;
    const seconds = Math.round((Date.now() - started) / 1000);
    if (terminal) process.stderr.write(`\r\x1b[2K${title} … ${seconds} s`);
    else if (ticks % LINES_EVERY_TICKS === 0) printProgress(`${title} … ${seconds} s`);
  };
  if (terminal) draw();
  const timer = setInterval(draw, TICK_MS);
  return (outcome) => {
    clearInterval(timer);
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    process.stderr.write(`${terminal ? '\r\x1b[2K' : ''}${title}: ${outcome} (${seconds} s)\n`);
  };
}

/**
 * Runs a program to its end and shows progress.
 * @returns {Promise<{ code: number, output: string }>} exit code, 127 if the program was not found, and the last MiB of
 *   stdout and stderr together
 */
export function runStep(title, command, args, options = {}) {
  const finish = startProgress(title);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-MAX_OUTPUT_CHARS);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => {
      finish('failed');
      if (error.code === 'ENOENT') resolve({ code: 127, output: `${command}: not found` });
      else reject(error);
    });
    child.on('close', (code, signal) => {
      finish(code === 0 ? 'done' : 'failed');
      resolve({ code: code ?? 1, output: signal === null ? output : `${output}\nended by ${signal}` });
    });
  });
}
