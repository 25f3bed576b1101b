import { Socket } from 'node:net';
import { OperatorError } from '@ringfence/base';
import type { OutRecord } from '@ringfence/bus';
import type { Interest } from '@ringfence/interest';
import type { Site } from '../deployment/deployment.ts';
import type { Watcher } from '../start-services.ts';
import { Channel, type Parcel } from './channel.ts';
import type { PartLink } from './process-role.ts';

type Stats = ReturnType<Watcher['stats']>;

/** Where each record's value lies in the bytes that come with it. */
export interface ProducedRecord extends Omit<OutRecord, 'value'> {
  readonly length: number;
}

/** The sensor's process, seen from the one that does all the rest. */
export class SensorLink {
  /** of the sensor's process */
  readonly pid: number;
  readonly #channel: Channel;
  readonly #done = Promise.withResolvers<void>();
  #bus: Site['bus'] | undefined;
  /** as of the last question */
  #stats: Stats | undefined;

  /** `onLog`: given each line that it logs, its end included. */
  constructor({ fd, pid }: PartLink, onLog: (line: string) => void) {
    this.pid = pid;
    this.#channel = new Channel(new Socket({ fd, readable: true, writable: true }), {
      log: ({ value }) => onLog(String(value)),
      produce: (parcel) => this.#produce(parcel),
      failed: ({ value }) => this.#done.reject(new OperatorError(String(value))),
    });
    this.#done.promise.catch(() => {});
    this.#channel.gone.catch((error: unknown) => this.#done.reject(error));
  }

  /** Has the collector started there. Rejects with what it says. */
  async start(site: Site, interest: Interest | undefined): Promise<Watcher> {
    this.#bus = site.bus;
    const { value } = await this.#call('start', interest ?? null);
    this.#take(value);
    let closing: Promise<void> | undefined;
    const close = (): Promise<void> => {
      closing ??= this.#close();
      return closing;
    };
    const refresh = async (): Promise<void> => {
      // its end tells the last of it
      if (closing === undefined) this.#take((await this.#call('stats')).value);
    };
    return {
      control: {
        hostId: site.hostId,
        execute: async (command) => (await this.#call('execute', null, command)).bytes,
        setInterest: async (next) => void (await this.#call('interest', next)),
      },
      stats: () => this.#stats as Stats,
      refresh,
      settle: async () => void (await this.#call('settle')),
      takeEnrolment: (value) => void this.#call('enrolment', null, value).catch(() => {}),
      done: this.#done.promise,
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  #call(ask: string, value?: unknown, bytes?: Uint8Array): Promise<Parcel> {
    return this.#channel.call(ask, value, bytes);
  }

  #take(stats: unknown): void {
    this.#stats = stats as Stats;
  }

  async #close(): Promise<void> {
    this.#take((await this.#call('close')).value);
    this.#done.resolve();
    this.#channel.close();
  }

  async #produce({ value, bytes }: Parcel): Promise<void> {
    const { records, deadlineMs } = value as { records: readonly ProducedRecord[]; deadlineMs?: number };
    let at = 0;
    const values = records.map(({ length, ...rest }) => {
      at += length;
      return { ...rest, value: Buffer.from(bytes.subarray(at - length, at)) };
    });
    await this.#bus?.produce(values, deadlineMs);
  }
}
