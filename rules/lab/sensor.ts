import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defined } from '@ringfence/base';
import { type Collector, startCollector } from '@ringfence/collector';
import type { Interest } from '@ringfence/interest';
import { isBpfFileSystem } from '@ringfence/libbpf-ts';
import { uninstallSensor } from '@ringfence/sensor/parts';
import { createLogger } from '@ringfence/telemetry';
import { sensorObject, skip as sensorSkip } from '@ringfence/testkit/sensor';
import { createSigningKey, type SigningKey, TOPIC } from '@ringfence/wire';

const BPF_FS = '/sys/fs/bpf';

/** For `test(..., { skip })`: false where the sensor can watch, else why not. */
export const skip: string | false =
  sensorSkip || (isBpfFileSystem(BPF_FS) ? false : `no bpf file system at ${BPF_FS}: mount -t bpf bpf ${BPF_FS}`);

export interface LabSensorOptions {
  /** @default everything leaves the kernel */
  readonly interest?: Interest;
  /** where engines keep what they know of their containers. @default none */
  readonly dockerRoots?: readonly string[];
  /** ms between two looks at the integrity of kernel and host. @default 0: nobody looks */
  readonly lookEveryMs?: number;
}

/** A sensor of this machine whose batches go to `onBatch` and nowhere else. Disposing takes it out of the kernel. */
export class LabSensor implements AsyncDisposable {
  readonly hostId: string = randomUUID();
  readonly key: SigningKey = createSigningKey();
  /** where descriptions of containers are put */
  readonly containersDir: string;
  readonly #stateDir: string = mkdtempSync(join(tmpdir(), 'ringfence-lab-'));
  readonly #pinPath: string = `${BPF_FS}/rf-test-${process.pid}-lab`;
  #collector: Collector | undefined;

  private constructor() {
    this.containersDir = join(this.#stateDir, 'containers.d');
    mkdirSync(this.containersDir);
  }

  static async start(onBatch: (batch: Buffer) => void, options: LabSensorOptions = {}): Promise<LabSensor> {
    const { interest, dockerRoots = [], lookEveryMs = 0 } = options;
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
          sensorObject: await sensorObject(),
          stateDir: lab.#stateDir,
          pinPath: lab.#pinPath,
          containerFiles: [lab.containersDir],
          dockerRoots,
          integrity: { everyMs: lookEveryMs, knownPrograms: [] },
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

  /** Is written anew with each look at the integrity. */
  get lookFile(): string {
    return join(this.#stateDir, 'integrity.json');
  }

  /** Resolves when everything that has happened is with `onBatch`. */
  async settle(): Promise<void> {
    await this.#collector?.settle();
  }

  /** Events that were lost, by cause. */
  drops(): Readonly<Record<string, number>> {
    return this.#collector?.stats().drops ?? {};
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#collector?.close();
    uninstallSensor(this.#pinPath);
    rmSync(this.#stateDir, { recursive: true, force: true });
  }
}
