import {
  type Container,
  type EventBatchHead,
  EventBatchWriter,
  type EventView,
  type Process,
  type ProcessInfo,
} from '@ringfence/schema';

/** Bytes of the arguments of a parent or writer that are kept: their own execution has the whole. */
const RELATED_ARGS_MAX = 512;

/**
 * The view's event as an EventBatch of its own: the same bytes, with its process, that one's parent, who wrote the executable, and their
 * containers. No further ancestors: a deep tree with long arguments would make each event many times its size.
 */
export function createSingleEvent(): (view: EventView) => Buffer {
  const writer = new EventBatchWriter();
  return (view) => {
    const contexts = new Contexts(view);
    const { process } = view;
    const parent = contexts.related(process?.parent);
    const index = process === undefined ? -1 : contexts.add(process, parent, Number.POSITIVE_INFINITY);
    const written = contexts.related(view.writer);
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

  related(process: ProcessInfo | undefined): number {
    return process === undefined ? -1 : this.add(process, -1, RELATED_ARGS_MAX);
  }

  add(process: ProcessInfo, parent: number, argsMax: number): number {
    const known = this.#indexes.get(process);
    if (known !== undefined) return known;
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
