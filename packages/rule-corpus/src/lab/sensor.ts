import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defined } from '@ringfence/base';
import { type Collector, startCollector } from '@ringfence/collector';
import type { Interest } from '@ringfence/interest';
import { buildSensor } from '@ringfence/sensor/build';
import { uninstallSensor } from '@ringfence/sensor/parts';
import { createLogger } from '@ringfence/telemetry';
import { createSigningKey, type SigningKey, TOPIC } from '@ringfence/wire';

const BPF_FS = '/sys/fs/bpf';

export interface LabSensorOptions {
  /** @default every event leaves the kernel */
  readonly interest?: Interest;
  /** Folders in which engines keep the state of their containers. @default none */
  readonly dockerRoots?: readonly string[];
  /** ms between two checks of the integrity of kernel and host. @default 0: no checks */
  readonly checkEveryMs?: number;
  /** Path of the sensor's object. @default built if its sources have changed */
  readonly object?: string | undefined;
}

/** A sensor on this machine whose batches go to `onBatch` alone. Disposing it unloads it from the kernel. */
export class LabSensor implements AsyncDisposable {
  readonly hostId: string = randomUUID();
  readonly key: SigningKey = createSigningKey();
  /** Folder for descriptions of containers. */
  readonly containersDir: string;
  readonly #stateDir: string = mkdtempSync(join(tmpdir(), 'ringfence-lab-'));
  readonly #pinPath: string = `${BPF_FS}/rf-test-${process.pid}-lab`;
  #collector: Collector | undefined;

  private constructor() {
    this.containersDir = join(this.#stateDir, 'containers.d');
    mkdirSync(this.containersDir);
  }

  static async start(onBatch: (batch: Buffer) => void, options: LabSensorOptions = {}): Promise<LabSensor> {
    const { interest, dockerRoots = [], checkEveryMs = 0, object } = options;
    const lab = new LabSensor();
    try {
      lab.#collector = await startCollector({
        bus: {
          produce: async (records) => {
            for (const { topic, value } of records)
              if (topic === TOPIC.raw && value !== null) onBatch(Buffer.from(value));
          },
        },
        identity: { hostId: lab.hostId, bootId: randomUUID(), key: lab.key, agentVersion: 'lab' },
        trustedKeys: new Map(),
        log: createLogger({ level: 'silent' }),
        ...defined({ interest }),
        options: {
          sensorObject: object ?? (await buildSensor()),
          stateDir: lab.#stateDir,
          pinPath: lab.#pinPath,
          containerFiles: [lab.containersDir],
          dockerRoots,
          integrity: { everyMs: checkEveryMs, knownPrograms: [] },
          probes: { pam: true, shell: true, tls: false, files: [] },
          ...(interest === undefined ? { opens: 'all', audit: ['all'] } : { opens: 'interest' }),
        },
      });
      return lab;
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** File that each check of the integrity rewrites. */
  get checkFile(): string {
    return join(this.#stateDir, 'integrity.json');
  }

  /** Waits until every event so far has been passed to `onBatch`. */
  async settle(): Promise<void> {
    await this.#collector?.settle();
  }

  /** Number of lost events, by cause. */
  drops(): Readonly<Record<string, number>> {
    return this.#collector?.stats().drops ?? {};
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#collector?.close();
    uninstallSensor(this.#pinPath);
    rmSync(this.#stateDir, { recursive: true, force: true });
  }
}
