import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LogReader } from '@ringfence/log-reader';
import { createLogger } from '@ringfence/telemetry';
import type { SigningKey } from '@ringfence/wire';

const TIMEOUT_MS = 10_000;
const POLL_MS = 5;
const FILES = ['/var/log/auth.log', '/var/log/syslog', '/var/log/nginx/access.log'];

export interface LabLogsOptions {
  readonly hostId: string;
  readonly key: SigningKey;
  /** Created if missing. The sandbox's logs are in its var/log (`start_log` of lib.sh). */
  readonly root: string;
  /** Called with each record that the agent of such a host would send on logs-raw. */
  readonly onRecord: (record: Buffer) => void;
}

/** The logs of one sandbox, read as an agent reads the logs of its host. */
export class LabLogs implements AsyncDisposable {
  readonly #root: string;
  readonly #stateDir: string = mkdtempSync(join(tmpdir(), 'ringfence-lab-'));
  readonly #reader: LogReader;

  constructor({ hostId, key, root, onRecord }: LabLogsOptions) {
    this.#root = root;
    mkdirSync(join(root, 'var/log/nginx'), { recursive: true });
    this.#reader = new LogReader({
      options: { root, files: FILES, journald: 'off', linesPerSecond: 1000, pollMs: POLL_MS },
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

  /** Waits until every line in the files has been passed to `onRecord`. Throws Error after 10 s. */
  async settle(): Promise<void> {
    const paths = FILES.map((path) => join(this.#root, path)).filter(existsSync);
    const written = paths.flatMap((path) => readFileSync(path, 'latin1').match(/\n/g) ?? []).length;
    for (let waitedMs = 0; this.#reader.stats().logs.lines < written; waitedMs += POLL_MS) {
      if (waitedMs > TIMEOUT_MS) throw new Error(`the reader has not read all of the ${written} lines`);
      await sleep(POLL_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.close();
    rmSync(this.#stateDir, { recursive: true, force: true });
  }
}
