import { spawn } from 'node:child_process';

/** Something a person must do; its message says what. */
export class SetupError extends Error {}

const TICK_MS = 1000;
const LINES_EVERY_TICKS = 15;
const KEPT_OUTPUT = 1 << 20;

/** Progress goes to stderr, so that the output of the command started afterwards stays clean. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** Shows `title` with the seconds passed: in place on a terminal, now and then as a line elsewhere. */
function startProgress(title) {
  const started = Date.now();
  const terminal = process.stderr.isTTY === true;
  let ticks = 0;
  if (!terminal) say(`${title} …`);
  const draw = () => {
    ticks += 1;
    const seconds = Math.round((Date.now() - started) / 1000);
    if (terminal) process.stderr.write(`\r\x1b[2K${title} … ${seconds} s`);
    else if (ticks % LINES_EVERY_TICKS === 0) say(`${title} … ${seconds} s`);
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
 * Runs a program to its end while a person sees that it goes on.
 * @returns {Promise<{ code: number, output: string }>} output: stdout and stderr together, its last MiB; code 127: not found
 */
export function runStep(title, command, args, options = {}) {
  const finish = startProgress(title);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-KEPT_OUTPUT);
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
