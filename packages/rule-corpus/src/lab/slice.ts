import { KIND, LANE, RawBatchReader, RawBatchWriter, type SigningKey, signBytes, u64FromBigInt } from '@ringfence/wire';

/**
 * A raw stream with the events of some cgroups of a host's raw stream. Events keep their bytes and get new sequence
 * numbers, so that no gap shows. Context records of other processes, addresses and mounts are left out.
 */
export class Slice {
  readonly #reader = new RawBatchReader();
  readonly #writer: RawBatchWriter;
  readonly #sequences = new Map<string, number>();
  readonly #key: SigningKey;
  readonly #isWanted: (cgroup: bigint) => boolean;
  /** Number of events so far. */
  events = 0;

  constructor(options: { hostId: string; bootId: string; key: SigningKey; isWanted: (cgroup: bigint) => boolean }) {
    const { hostId, bootId, key, isWanted } = options;
    this.#key = key;
    this.#isWanted = isWanted;
    this.#writer = new RawBatchWriter({ hostId, bootId, run: u64FromBigInt(1n), agentVersion: 'lab' });
  }

  /** Returns a signed batch of the wanted events, or undefined if there are none. */
  take(batch: Buffer): Buffer | undefined {
    const { cursor } = this.#reader;
    this.#reader.open(batch);
    const { wallOffset, sentAt, interestVersion } = this.#reader.head;
    while (this.#reader.next()) if (this.#isWantedEvent()) this.#copy();
    if (this.#writer.count === 0) return undefined;
    this.events += this.#writer.count;
    const lanes = [...this.#sequences].map(([key, sequence]) => {
      const [lane = 0, cpu = 0] = key.split('/').map(Number);
      return { lane, cpu, sequence, drops: {} };
    });
    const sign = (bytes: Uint8Array): Buffer => signBytes(this.#key, bytes);
    cursor.reset(Buffer.alloc(0));
    return this.#writer.finish({ wallOffset, sentAt, interestVersion, lanes, keyId: this.#key.keyId, sign });
  }

  #isWantedEvent(): boolean {
    const { cursor } = this.#reader;
    const { buffer, cgroupAt, bodyAt, kind } = cursor;
    if (kind === KIND.Tick || kind === KIND.UserContext) return true;
    // A container's record begins with the cgroup of the container.
    const at = kind === KIND.ContainerContext ? bodyAt : cgroupAt;
    return this.#isWanted(buffer.readBigUInt64LE(at));
  }

  #copy(): void {
    const { cursor } = this.#reader;
    const { buffer, lane, cpu, startAt, eventEnd } = cursor;
    const place = `${lane}/${lane === LANE.tick ? 0 : cpu}`;
    const sequence = (this.#sequences.get(place) ?? 0) + 1;
    this.#sequences.set(place, sequence);
    const { ktime, late, tgid, tid } = cursor;
    const out = this.#writer.begin({ lane, cpu, sequence, ktime, late, tgid, tid });
    out.append(buffer, startAt, eventEnd);
  }
}
