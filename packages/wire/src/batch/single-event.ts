import type { Container, Process } from '../generated/types.generated.ts';
import { type EventBatchHead, EventBatchWriter, type EventView } from './event-batch.ts';
import type { ProcessInfo } from './process.ts';

/** Bytes kept of the arguments of an ancestor or writer: their own exec events have all. */
const RELATED_ARGS_MAX = 512;

/**
 * Returns a function that makes an EventBatch of the view's current event: its unchanged bytes, its process with at
 * most `ancestors` ancestors, the writer of the executable with one ancestor less, and their containers. The limits
 * keep the batch small when the process tree is deep and its arguments are long.
 */
export function createSingleEvent(ancestors: number): (view: EventView) => Buffer {
  const writer = new EventBatchWriter();
  return (view) => {
    const contexts = new Contexts(view);
    const index = contexts.add(view.process, ancestors, Number.POSITIVE_INFINITY);
    const written = contexts.add(view.writer, ancestors - 1, RELATED_ARGS_MAX);
    const container = contexts.container(view.container);
    const { buffer, eventAt, eventEnd } = view.cursor;
    writer.add(index, container, written, view.writtenAgo, view.partial, buffer, eventAt, eventEnd);
    return writer.finish(contexts.head());
  };
}

/** The contexts that one event refers to, with new indexes. */
class Contexts {
  readonly #view: EventView;
  readonly #containers: Container[] = [];
  readonly #processes: Process[] = [];
  readonly #indexes = new Map<ProcessInfo, number>();

  constructor(view: EventView) {
    this.#view = view;
  }

  /** Adds a process after its ancestors, and returns its index; -1 for none. */
  add(process: ProcessInfo | undefined, ancestors: number, argsMax: number): number {
    if (process === undefined) return -1;
    const known = this.#indexes.get(process);
    if (known !== undefined) return known;
    const parent = ancestors === 0 ? -1 : this.add(process.parent, ancestors - 1, RELATED_ARGS_MAX);
    const { raw } = process;
    const args = raw.args.length > argsMax ? raw.args.subarray(0, argsMax) : raw.args;
    const container = this.container(this.#view.head.containers[raw.container]);
    const index = this.#processes.push({ ...raw, args, parent, container }) - 1;
    this.#indexes.set(process, index);
    return index;
  }

  container(container: Container | undefined): number {
    if (container === undefined) return -1;
    const known = this.#containers.indexOf(container);
    return known >= 0 ? known : this.#containers.push(container) - 1;
  }

  head(): EventBatchHead {
    return { ...this.#view.head, lanes: [], containers: this.#containers, processes: this.#processes };
  }
}
