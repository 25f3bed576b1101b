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
/** The bus takes records of 1 MiB: a batch that grows past this goes out in two. */
const SPLIT_BYTES = 768 * 1024;
/** An event's indexes and a process's numbers, about. */
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
  /** set when the process changes while the batch is being filled: the events before it keep the image they had */
  frozen: Process | undefined;
}

/** Fills EventBatches: each process and container once, and again when it has changed in between. */
export class BatchBuilder {
  #stamp = 0;
  #slots: Slot[] = [];
  #containers: Container[] = [];
  readonly #peers = new Map<string, Peer>();
  #bytes = 0;
  #origin!: BatchOrigin;
  readonly #writer = new EventBatchWriter();
  readonly #key: SigningKey | null;
  #done: Buffer[] = [];

  /** `key` signs the batches; null: unsigned. */
  constructor(key: SigningKey | null) {
    this.#key = key;
  }

  begin(origin: BatchOrigin): void {
    this.#origin = origin;
    this.#done = [];
    this.#restart();
  }

  /** Call before a process changes. */
  supersede(entry: ProcessEntry): void {
    if (entry.stamp !== this.#stamp) return;
    const slot = this.#slots[entry.slot] as Slot;
    slot.frozen = this.#freeze(slot);
    entry.stamp = 0;
  }

  /** What an address is called in this batch; the latest word counts. Call before the event is added. */
  name(peer: Peer): void {
    const { address, container, names } = peer;
    this.#peers.set(`${address}/${container}`, peer);
    this.#bytes += names.reduce((sum, name) => sum + name.length, address.length + container.length);
  }

  /** `raw[start, end)` is the event as it is encoded. */
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
    const at = container === null ? -1 : this.#containerSlot(container);
    this.#writer.add(slot, at, writer === null ? -1 : this.#slotOf(writer, 0), writtenAgo, partial, raw, start, end);
    this.#bytes += end - start + EVENT_BYTES;
    if (this.#bytes > SPLIT_BYTES) this.#finishPart();
  }

  /** An event as it stands before the cursor, in the container that it happened in: a late one perhaps where its process was before. */
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

  /** The framed EventBatches; one, but for very large ones. None when there is nothing to say. */
  finish(): readonly Buffer[] {
    if (this.#writer.count > 0 || (this.#done.length === 0 && this.#origin.lanes.length > 0)) this.#finishPart();
    return this.#done;
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
      // Counters are of the whole: once.
      lanes: this.#done.length === 0 ? lanes : [],
      containers: this.#containers,
      peers: [...this.#peers.values()],
      processes: this.#slots.map((slot) => slot.frozen ?? this.#freeze(slot)),
    };
    this.#done.push(this.#writer.finish(head, this.#key));
    this.#restart();
  }

  #slotOf(entry: ProcessEntry, depth: number): number {
    if (entry.stamp === this.#stamp) return entry.slot;
    const parent = entry.parent !== null && depth < MAX_DEPTH ? this.#slotOf(entry.parent, depth + 1) : -1;
    const inside = this.#origin.boot.containerOf(entry);
    const container = inside === null ? -1 : this.#containerSlot(inside);
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
