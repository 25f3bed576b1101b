import type { SyntheticHost, SyntheticProcess } from '@ringfence/synthetic';
import type { Container } from './containers.ts';
import type { Program } from './process-values.ts';

/** A process that events of a test have mentioned. */
export interface Actor {
  readonly process: SyntheticProcess;
  readonly parent: SyntheticProcess;
  readonly container: Container | undefined;
  program: Program;
  /** Command line by which the test refers to it. */
  line: string | undefined;
  stdioSockets: number;
}

const NO_PROGRAM: Program = { executable: '', args: [] };

/** The processes of one test. */
export class Actors {
  readonly #host: SyntheticHost;
  readonly #actors: Actor[] = [];

  constructor(host: SyntheticHost) {
    this.#host = host;
  }

  /**
   * `parent` forks. The child has its program, its standard streams and, by default, its container.
   * @param flags CLONE_*
   */
  fork(parent: SyntheticProcess, container: Container | undefined, pid?: number, flags = 0n): Actor {
    const cgroup = container === undefined ? {} : { cgroup: container.cgroup };
    const process = this.#host.fork(parent, { flags, ...cgroup, ...(pid === undefined ? {} : { pid }) });
    return this.#add(process, parent, container);
  }

  /** Returns the actor of a process, which need not have been mentioned before. */
  of(process: SyntheticProcess): Actor {
    return this.#known(process) ?? this.#add(process, process.parent ?? process, undefined);
  }

  /** Returns the latest actor for which the test holds. */
  findLast(test: (actor: Actor) => boolean): Actor | undefined {
    return this.#actors.findLast(test);
  }

  #known(process: SyntheticProcess): Actor | undefined {
    return this.#actors.find((actor) => actor.process === process);
  }

  #add(process: SyntheticProcess, parent: SyntheticProcess, container: Container | undefined): Actor {
    const { program, stdioSockets } = this.#known(parent) ?? { program: NO_PROGRAM, stdioSockets: 0 };
    const actor = { process, parent, container, program, line: undefined, stdioSockets };
    this.#actors.push(actor);
    return actor;
  }
}
