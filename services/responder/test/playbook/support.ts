import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Control } from '@ringfence/control/port';
import { createTestAlert, createTestLineage, EVIDENCE_HOST } from '@ringfence/synthetic';
import {
  type Alert,
  type Command,
  decode,
  encodeSigned,
  type Outcome,
  type SigningKey,
  verifyRecord,
} from '@ringfence/wire';
import { loadPlaybooks, type Playbook } from '../../src/index.ts';

/** Returns the playbook with these steps, for alerts in the cgroup of the tests. */
export function playbookOf(steps: string, head = ''): Playbook {
  const text = `playbook: p\nmode: enforce\nscope: { cgroup: /rf-test-* }\nwhen: { priority: debug }\n${head}steps:\n${steps}`;
  const { playbooks, problems } = loadPlaybooks([{ name: 'p.yaml', text }]);
  if (playbooks[0] === undefined) throw new Error(JSON.stringify(problems));
  return playbooks[0];
}

/** Returns an alert of an incident about a process. `at`: µs since the epoch */
export function alertOf(pid: number, at: number, overrides: Partial<Alert> = {}): Alert {
  return createTestAlert(pid, {
    ...{
      cgroupPath: '/rf-test-1',
      timestamp: at,
      lineage: [createTestLineage(pid)],
      incident: 'inc-1',
      action: 'alert',
    },
    ...overrides,
  });
}

const SIGNALS: Readonly<Record<string, NodeJS.Signals>> = { kill: 'SIGKILL', suspend: 'SIGSTOP' };

/**
 * An agent that stops, continues and kills one process for real. It keeps the commands that it has carried out in a
 * file, so that it knows them after a crash, and refuses the acts that it was told to.
 */
export class SteppingAgent implements Control {
  readonly hostId: string = EVIDENCE_HOST;
  readonly #key: Pick<SigningKey, 'publicKey'>;
  readonly #journal: string;
  readonly #pid: number;
  readonly #refused: readonly string[];

  constructor(key: Pick<SigningKey, 'publicKey'>, dir: string, pid: number, refused: readonly string[] = []) {
    this.#key = key;
    this.#journal = join(dir, 'executed');
    this.#pid = pid;
    this.#refused = refused;
  }

  async execute(bytes: Uint8Array): Promise<Uint8Array> {
    const command = decode('Command', bytes);
    if (!verifyRecord(this.#key.publicKey, bytes)) return answer(command, 'refused', 'bad-signature');
    if (this.#lines().some(([id]) => id === command.id)) return answer(command, 'refused', 'already-executed');
    if (this.#refused.includes(command.act)) return answer(command, 'refused', 'protected');
    if (command.pid !== 0 && command.pid !== this.#pid) return answer(command, 'refused', 'not-the-process');
    appendFileSync(this.#journal, `${command.id} ${command.act}\n`);
    const signal = command.act === 'undo' ? this.#inverseOf(command) : SIGNALS[command.act];
    if (signal !== undefined) process.kill(this.#pid, signal);
    return answer(command, 'executed', '');
  }

  async setInterest(): Promise<void> {}

  /** The acts that were carried out, in order. */
  done(): string[] {
    return this.#lines().map(([, act = '']) => act);
  }

  #inverseOf({ parameters }: Command): NodeJS.Signals | undefined {
    const [, act] = this.#lines().find(([id]) => id === parameters['command']) ?? [];
    return act === 'suspend' ? 'SIGCONT' : undefined;
  }

  #lines(): string[][] {
    if (!existsSync(this.#journal)) return [];
    const lines = readFileSync(this.#journal, 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => line.split(' '));
  }
}

function answer(command: Command, outcome: Outcome, reason: string): Uint8Array {
  const { id, hostId, executable, issuedAt } = command;
  const result = { id, hostId, outcome, reason, executable, at: issuedAt + 1, children: 0, facts: {} };
  return encodeSigned('Result', result, null);
}

/** Stops the process, and kills it after a while. */
export const CRASH_STEPS = '  - do: suspend\n  - { wait: 1s, do: kill }\n';
