import type { Interest } from '@ringfence/schema';
import type { CompiledOptions } from './config.ts';
import type { Log } from './log.ts';
import type { ControlBlock } from './sensor/control-block.ts';
import type { WatchedPaths } from './sensor/watched.ts';

/** Tells the sensor which opens matter. What it isn't told for sure, it sends. */
export class InterestFilter {
  readonly #options: Pick<CompiledOptions, 'opens' | 'watchedPaths'>;
  readonly #control: Pick<ControlBlock, 'allOpens' | 'watching'>;
  readonly #watched: WatchedPaths;
  readonly #log: Log;

  constructor(
    options: Pick<CompiledOptions, 'opens' | 'watchedPaths'>,
    control: Pick<ControlBlock, 'allOpens' | 'watching'>,
    watched: WatchedPaths,
    log: Log,
  ) {
    this.#options = options;
    this.#control = control;
    this.#watched = watched;
    this.#log = log;
  }

  /** Before any content is loaded. `resumed`: the earlier agent's filter stays in force until then. */
  start(resumed: boolean): void {
    if (resumed && this.#options.opens !== 'all') return;
    this.apply({ version: 0, openPathPrefixes: [], openNames: [] });
  }

  apply(interest: Interest): void {
    const { openPathPrefixes: wanted, version } = interest;
    let all = this.#options.opens === 'all' || wanted === null;
    const prefixes = [...(wanted ?? []), ...this.#options.watchedPaths];
    if (!this.#watched.replace(prefixes)) {
      all = true;
      this.#log.warn(
        { version, prefixes: prefixes.length },
        'more path prefixes than the kernel holds: every open is sent',
      );
    }
    this.#control.watching = this.#watched.size > 0;
    this.#control.allOpens = all;
  }
}
