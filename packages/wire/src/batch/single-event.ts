import type { Container, Process } from '../generated/types.generated.ts';
import { type EventBatchHead, EventBatchWriter, type EventView } from './event-batch.ts';
import type { ProcessInfo } from './process.ts';

/** Bytes of the arguments of an ancestor or writer that are kept: their own execution has the whole. */
const RELATED_ARGS_MAX = 512;

/**
 * The view's event as an EventBatch of its own: the same bytes, with its process, so many ancestors of that one, who wrote the executable (with one
 * ancestor less), and their containers. A deep tree with long arguments would make each event many times its size.
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

/** The contexts that one event points at, numbered anew. */
class Contexts {
  readonly #view: EventView;
  readonly #containers: Container[] = [];
  readonly #processes: Process[] = [];
  readonly #indexes = new Map<ProcessInfo, number>();

  constructor(view: EventView) {
    this.#view = view;
  }

  /** Ancestors stand before what descends from them. */
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
