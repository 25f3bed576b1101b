import type { Interest } from '@ringfence/schema';
import type { CompiledOptions } from './config.ts';
import type { Log } from './log.ts';
import type { ControlBlock } from './sensor/control-block.ts';
import type { Sensor } from './sensor/sensor.ts';
import { headsOf } from './sensor/watched.ts';

/** Tells the sensor which opens and which changes of files matter. What it isn't told for sure, it sends. */
export class InterestFilter {
  readonly #options: Pick<CompiledOptions, 'opens' | 'watchedPaths'>;
  readonly #control: Pick<ControlBlock, 'allOpens' | 'watchedHeads' | 'watchingNames'>;
  readonly #watched: Sensor['watched'];
  readonly #log: Log;

  constructor(
    options: Pick<CompiledOptions, 'opens' | 'watchedPaths'>,
    control: Pick<ControlBlock, 'allOpens' | 'watchedHeads' | 'watchingNames'>,
    watched: Sensor['watched'],
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

  /** What is new is watched before anything is given up, so that nothing both interests cover is missed. */
  apply(interest: Interest): void {
    const { openPathPrefixes, openNames: names, version } = interest;
    const { prefixes: watched, names: named } = this.#watched;
    const prefixes = [...(openPathPrefixes ?? []), ...this.#options.watchedPaths];
    const held = watched.add(prefixes) && named.add(names);
    if (!held)
      this.#log.warn(
        { version, prefixes: prefixes.length, names: names.length },
        'more path prefixes or file names than the kernel holds: every open and every change of a file is sent',
      );
    const all = this.#options.opens === 'all' || openPathPrefixes === null || !held;
    if (all) this.#control.allOpens = true;
    this.#watch();
    watched.keep(prefixes);
    named.keep(names);
    this.#watch();
    this.#control.allOpens = all;
  }

  #watch(): void {
    this.#control.watchedHeads = headsOf(this.#watched.prefixes.keys());
    this.#control.watchingNames = this.#watched.names.size > 0;
  }
}
