import {
  type Container,
  type EventBatchHead,
  EventBatchWriter,
  type EventCursor,
  type LaneCounters,
  type Peer,
  type Process,
  type SigningKey,
} from '@ringfence/wire';
import type { Boot } from '../state/boot.ts';
import type { KnownContainer } from '../state/contexts.ts';
import type { ProcessEntry } from '../state/process.ts';

const MAX_DEPTH = 32;
/** A larger batch is split, because a record of the bus has at most 1 MiB. */
const SPLIT_BYTES = 768 * 1024;
/** Estimates: the indexes of an event, and the numbers of a process. */
const EVENT_BYTES = 16;
const PROCESS_BYTES = 384;

export interface BatchOrigin {
  readonly boot: Boot;
  readonly run: Uint8Array;
  readonly wallOffset: number;
  readonly sentAt: number;
  readonly receivedAt: number;
  readonly lanes: readonly LaneCounters[];
}

interface Slot {
  readonly entry: ProcessEntry;
  readonly parent: number;
  readonly container: number;
  /** set when the process changes while the batch is built, so that earlier events keep its previous state */
  frozen: Process | undefined;
}

/** Builds EventBatches. Each process and container is written once, and again if it changes within the batch. */
export class BatchBuilder {
  #stamp = 0;
  #slots: Slot[] = [];
  #containers: Container[] = [];
  readonly #peers = new Map<string, Peer>();
  #bytes = 0;
  #origin!: BatchOrigin;
  readonly #writer = new EventBatchWriter();
  readonly #key: SigningKey | null;
  #finished: Buffer[] = [];

  /** `key` signs the batches; null: they are unsigned. */
  constructor(key: SigningKey | null) {
    this.#key = key;
  }

  /** Starts the output of one record. */
  begin(origin: BatchOrigin): void {
    this.#origin = origin;
    this.#finished = [];
    this.#restart();
  }

  /** Must be called before a process changes. */
  supersede(entry: ProcessEntry): void {
    if (entry.stamp !== this.#stamp) return;
    const slot = this.#slots[entry.slot] as Slot;
    slot.frozen = this.#freeze(slot);
    entry.stamp = 0;
  }

  /** Sets the names of an address in this batch, and must be called before its event is added. The last call counts. */
  name(peer: Peer): void {
    const { address, container, names } = peer;
    this.#peers.set(`${address}/${container}`, peer);
    this.#bytes += names.reduce((sum, name) => sum + name.length, address.length + container.length);
  }

  /** Adds an event. `raw[start, end)` is the encoded event. */
  add(
    process: ProcessEntry | null,
    container: KnownContainer | null,
    writer: ProcessEntry | null,
    writtenAgo: number,
    partial: string,
    raw: Buffer,
    start: number,
    end: number,
  ): void {
    const slot = process === null ? -1 : this.#slotOf(process, 0);
    const containerSlot = container === null ? -1 : this.#containerSlot(container);
    const writerSlot = writer === null ? -1 : this.#slotOf(writer, 0);
    this.#writer.add(slot, containerSlot, writerSlot, writtenAgo, partial, raw, start, end);
    this.#bytes += end - start + EVENT_BYTES;
    if (this.#bytes > SPLIT_BYTES) this.#finishPart();
  }

  /** Adds the event at the cursor. The container of a late event may be a previous one of its process. */
  addEvent(
    process: ProcessEntry | null,
    container: KnownContainer | null,
    writer: ProcessEntry | null,
    writtenAgo: number,
    partial: string,
    cursor: EventCursor,
  ): void {
    const { buffer, eventAt, eventEnd } = cursor;
    this.add(process, container, writer, writtenAgo, partial, buffer, eventAt, eventEnd);
  }

  /** Returns the framed EventBatches: one, several if it was split, or none if it is empty. */
  finish(): readonly Buffer[] {
    if (this.#writer.count > 0 || (this.#finished.length === 0 && this.#origin.lanes.length > 0)) this.#finishPart();
    return this.#finished;
  }

  #restart(): void {
    this.#stamp++;
    this.#slots = [];
    this.#containers = [];
    this.#peers.clear();
    this.#bytes = 0;
  }

  #finishPart(): void {
    const { boot, run, wallOffset, sentAt, receivedAt, lanes } = this.#origin;
    const head: EventBatchHead = {
      hostId: boot.hostId,
      bootId: boot.bootId,
      run,
      wallOffset,
      sentAt,
      receivedAt,
      // Only the first part has the counters.
      lanes: this.#finished.length === 0 ? lanes : [],
      containers: this.#containers,
      peers: [...this.#peers.values()],
      processes: this.#slots.map((slot) => slot.frozen ?? this.#freeze(slot)),
    };
    this.#finished.push(this.#writer.finish(head, this.#key));
    this.#restart();
  }

  #slotOf(entry: ProcessEntry, depth: number): number {
    if (entry.stamp === this.#stamp) return entry.slot;
    const parent = entry.parent !== null && depth < MAX_DEPTH ? this.#slotOf(entry.parent, depth + 1) : -1;
    const current = this.#origin.boot.containerOf(entry);
    const container = current === null ? -1 : this.#containerSlot(current);
    entry.stamp = this.#stamp;
    entry.slot = this.#slots.push({ entry, parent, container, frozen: undefined }) - 1;
    const { executable, args, cwd } = entry.image;
    this.#bytes += PROCESS_BYTES + executable.length + args.length + cwd.length;
    return entry.slot;
  }

  #containerSlot(container: KnownContainer): number {
    if (container.stamp !== this.#stamp) {
      container.stamp = this.#stamp;
      container.slot = this.#containers.push(container.value) - 1;
      const { labels, podLabels, mounts } = container.value;
      this.#bytes += 2 * JSON.stringify([labels, podLabels, mounts]).length + 1024;
    }
    return container.slot;
  }

  #freeze({ entry, parent, container }: Slot): Process {
    const { boot } = this.#origin;
    const user = boot.contexts.users.get(entry.credentials.euid) ?? '';
    const { image } = entry;
    const hashes = [boot.hashOf(image), boot.hashOf(image.script)] as const;
    return entry.toProcess(boot.hostId, boot.bootId, parent, container, user, ...hashes);
  }
}
