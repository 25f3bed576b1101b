import type { EventView, ProcessInfo } from '@ringfence/wire';
import { type IsAgent, isHub, lineageBelowHub } from './hubs.ts';

type Lineage = readonly ProcessInfo[];

/**
 * The event in hand with its lineages below the hub, which are computed once, when a step first asks for them: most
 * events need none.
 */
export class HandledEvent {
  readonly view: EventView;
  readonly #isAgent: IsAgent;
  #lineage: Lineage | undefined;
  #writerLineage: Lineage | undefined;

  constructor(view: EventView, isAgent: IsAgent) {
    this.view = view;
    this.#isAgent = isAgent;
  }

  /** Forgets the lineages, because the view stands for the next event now. */
  advance(): void {
    this.#lineage = undefined;
    this.#writerLineage = undefined;
  }

  /** The process and its ancestors below the hub; empty if it is a hub, or unknown */
  get lineage(): Lineage {
    this.#lineage ??= lineageBelowHub(this.view, this.view.process, this.#isAgent);
    return this.#lineage;
  }

  /** The topmost process below the hub, which stands for the whole tree of processes */
  get root(): ProcessInfo | undefined {
    return this.lineage.at(-1);
  }

  /** The same of the process that wrote the executable */
  get writerLineage(): Lineage {
    this.#writerLineage ??= lineageBelowHub(this.view, this.view.writer, this.#isAgent);
    return this.#writerLineage;
  }

  isHub(process: ProcessInfo): boolean {
    return isHub(this.view, process, this.#isAgent);
  }
}
