import { Socket } from 'node:net';
import { OperatorError } from '@ringfence/base';
import type { OutRecord } from '@ringfence/bus';
import type { Interest } from '@ringfence/interest';
import type { Deployment } from '../deployment/deployment.ts';
import type { CollectorHandle } from '../start-services.ts';
import { Channel, type Payload } from './channel.ts';
import type { SensorConnection } from './process-role.ts';

type Stats = ReturnType<CollectorHandle['stats']>;

/** A record whose value is the next `length` bytes of the payload. */
export interface ProducedRecord extends Omit<OutRecord, 'value'> {
  readonly length: number;
}

/** Controls the collector in the sensor's process, and writes its records to the bus. */
export class SensorClient {
  /** Pid of the sensor's process. */
  readonly pid: number;
  readonly #channel: Channel;
  readonly #done = Promise.withResolvers<void>();
  #bus: Deployment['bus'] | undefined;
  /** Statistics of the last refresh. */
  #stats: Stats | undefined;

  /** @param onLog called with each line of the sensor's log, including its line end */
  constructor({ fd, pid }: SensorConnection, onLog: (line: string) => void) {
    this.pid = pid;
    this.#channel = new Channel(new Socket({ fd, readable: true, writable: true }), {
      log: ({ value }) => onLog(String(value)),
      produce: (payload) => this.#produce(payload),
      failed: ({ value }) => this.#done.reject(new OperatorError(String(value))),
    });
    this.#done.promise.catch(() => {});
    this.#channel.ended.catch((error: unknown) => this.#done.reject(error));
  }

  /** Starts the collector in the sensor's process. Rejects with the error of that start. */
  async start(deployment: Deployment, interest: Interest | undefined): Promise<CollectorHandle> {
    this.#bus = deployment.bus;
    const { value } = await this.#channel.call('start', interest ?? null);
    this.#setStats(value);
    let closing: Promise<void> | undefined;
    const close = (): Promise<void> => {
      closing ??= this.#close();
      return closing;
    };
    const refresh = async (): Promise<void> => {
      // A closing collector returns its last statistics itself.
      if (closing === undefined) this.#setStats((await this.#channel.call('stats')).value);
    };
    return {
      control: {
        hostId: deployment.hostId,
        execute: async (command) => (await this.#channel.call('execute', null, command)).bytes,
        setInterest: async (next) => void (await this.#channel.call('interest', next)),
      },
      stats: () => this.#stats as Stats,
      refresh,
      settle: async () => void (await this.#channel.call('settle')),
      takeEnrolment: (enrolment) => void this.#channel.call('enrolment', null, enrolment).catch(() => {}),
      takeStanding: (standing) =>
        void this.#channel.call('standing', null, standing ?? Buffer.alloc(0)).catch(() => {}),
      done: this.#done.promise,
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  #setStats(stats: unknown): void {
    this.#stats = stats as Stats;
  }

  async #close(): Promise<void> {
    this.#setStats((await this.#channel.call('close')).value);
    this.#done.resolve();
    this.#channel.close();
  }

  async #produce({ value, bytes }: Payload): Promise<void> {
    const { records, deadlineMs } = value as { records: readonly ProducedRecord[]; deadlineMs?: number };
    let end = 0;
    const produced = records.map(({ length, ...record }) => {
      end += length;
      return { ...record, value: Buffer.from(bytes.subarray(end - length, end)) };
    });
    await this.#bus?.produce(produced, deadlineMs);
  }
}
