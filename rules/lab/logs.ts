import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LogReader } from '@ringfence/log-reader';
import { createLogger } from '@ringfence/telemetry';
import type { SigningKey } from '@ringfence/wire';

const LIMIT_MS = 10_000;
const FILES = ['/var/log/auth.log', '/var/log/syslog', '/var/log/nginx/access.log'];

export interface LabLogsOptions {
  readonly hostId: string;
  readonly key: SigningKey;
  /** made when missing; its var/log is where the sandbox's logs come to lie (`logged` of lib.sh) */
  readonly root: string;
  /** gets what the agent of such a host would send on logs-raw */
  readonly onRecord: (record: Buffer) => void;
}

/** The logs of one sandbox, read as an agent reads those of its host. */
export class LabLogs implements AsyncDisposable {
  readonly #root: string;
  readonly #stateDir: string = mkdtempSync(join(tmpdir(), 'ringfence-lab-'));
  readonly #reader: LogReader;

  constructor({ hostId, key, root, onRecord }: LabLogsOptions) {
    this.#root = root;
    mkdirSync(join(root, 'var/log/nginx'), { recursive: true });
    this.#reader = new LogReader({
      options: { root, files: FILES, journald: 'off', linesPerSecond: 1000, pollMs: 5 },
      stateDir: this.#stateDir,
      bus: {
        produce: async (records) => {
          for (const { value } of records) if (value !== null) onRecord(Buffer.from(value));
        },
      },
      identity: { hostId, bootId: hostId, key, agentVersion: 'lab' },
      log: createLogger({ level: 'silent' }),
    });
  }

  /** Resolves when every line that has been written is with `onRecord`. */
  async settle(): Promise<void> {
    const paths = FILES.map((path) => join(this.#root, path)).filter(existsSync);
    const written = paths.flatMap((path) => readFileSync(path, 'latin1').match(/\n/g) ?? []).length;
    for (let waited = 0; this.#reader.stats().logs.lines < written; waited += 5) {
      if (waited > LIMIT_MS) throw new Error(`${written} lines were written, and not all were read`);
      await sleep(5);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.close();
    rmSync(this.#stateDir, { recursive: true, force: true });
  }
}
