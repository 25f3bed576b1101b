import { createPublicKey, type KeyObject } from 'node:crypto';
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

/** The 32 bytes of an Ed25519 key in base64url: a format that needs no parser in the process with capabilities. */
const PUBLIC_KEY = /^[\w-]{43}$/;

/** Returns an Ed25519 key as it travels between the processes. */
export const publicKeyText = (key: KeyObject): string => key.export({ format: 'jwk' }).x ?? '';

/** Throws OperatorError when the value is no text of a key. */
export function parsePublicKey(value: unknown): KeyObject {
  if (typeof value !== 'string' || !PUBLIC_KEY.test(value)) throw new OperatorError('not an Ed25519 key');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: value }, format: 'jwk' });
}

/** Controls the collector in the sensor's process, and writes its records to the bus. */
export class SensorClient {
  /** Pid of the sensor's process. */
  readonly pid: number;
  readonly #ownUser: boolean;
  readonly #channel: Channel;
  readonly #done = Promise.withResolvers<void>();
  #bus: Deployment['bus'] | undefined;
  /** Statistics of the last refresh. */
  #stats: Stats | undefined;

  /** @param onLog called with each line of the sensor's log, including its line end */
  constructor({ fd, pid, ownUser }: SensorConnection, onLog: (line: string) => void) {
    this.pid = pid;
    this.#ownUser = ownUser;
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
    if (this.#ownUser) await this.#exchangeKeys(deployment);
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
      ticks: async () => Number((await this.#channel.call('ticks')).value),
      settle: async () => void (await this.#channel.call('settle')),
      takeEnrolment: (enrolment) => void this.#channel.call('enrolment', null, enrolment).catch(() => {}),
      takeStanding: (standing) =>
        void this.#channel.call('standing', null, standing ?? Buffer.alloc(0)).catch(() => {}),
      done: this.#done.promise,
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  /** Signs a certificate request with the key that the sensor's process keeps. */
  readonly prove = async (csr: string): Promise<Uint8Array> => (await this.#channel.call('prove', csr)).bytes;

  /** The sensor's process keeps its signing key to itself: each process learns the public key of the other. */
  async #exchangeKeys(deployment: Deployment): Promise<void> {
    const { hostId, commandKey } = deployment;
    const responderKey = publicKeyText(commandKey.publicKey);
    const { value } = await this.#channel.call('identity', { hostId, responderKey });
    deployment.takeAgentKey(parsePublicKey(value));
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
