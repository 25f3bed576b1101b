import type { Log } from '@ringfence/base';
import { type Interest, wantOf } from '@ringfence/interest';
import type { ControlBlock, OnDemandHooks, SensorFilter, WatchedTexts } from '@ringfence/sensor';
import { headsOf, unnamedOf, unwatchedOf } from '@ringfence/sensor';
import type { Want } from '@ringfence/wire';
import type { CompiledOptions } from './config.ts';

type Options = Pick<CompiledOptions, 'opens' | 'watchedPaths' | 'audit'>;
type Filter = Pick<SensorFilter, 'watched' | 'hashes' | 'interests'> & {
  readonly onDemand: OnDemandHooks;
  readonly control: Pick<
    ControlBlock,
    'allOpens' | 'watchedHeads' | 'watchingNames' | 'watchingExecutables' | 'changedHeads' | 'watchingChangedNames'
  >;
};

const NOTHING: Interest = {
  version: 0,
  openPathPrefixes: [],
  openNames: [],
  openExecutables: [],
  changePathPrefixes: [],
  changeNames: [],
  wants: null,
};

type WantedTexts = readonly (readonly [watched: WatchedTexts, wanted: readonly string[]])[];

const addAll = (texts: WantedTexts): boolean => texts.every(([watched, wanted]) => watched.add(wanted));

/** Tells the sensor what matters: which kinds of events, opens and changes of files. What it isn't told for sure, it sends. */
export class InterestFilter {
  readonly #options: Options;
  readonly #filter: Filter;
  readonly #log: Log;

  constructor(options: Options, filter: Filter, log: Log) {
    this.#options = options;
    this.#filter = filter;
    this.#log = log;
  }

  /** Before any content is loaded. `resumed`: the earlier agent's filter stays in force until then. */
  start(resumed: boolean): void {
    if (resumed && this.#options.opens !== 'all') return;
    this.apply(NOTHING);
  }

  /** What is new is watched before anything is given up, so that nothing both interests cover is missed. */
  apply(interest: Interest): void {
    const { version } = interest;
    const { interests, control, onDemand } = this.#filter;
    const texts = this.#texts(interest);
    const all = this.#options.opens === 'all' || interest.openPathPrefixes === null;
    const both = addAll(texts);
    if (all || !both) control.allOpens = true;
    this.#watch();
    const wants = this.#wants(interest);
    const failed = onDemand.attachFor(wants);
    if (failed.length > 0)
      this.#log.warn(
        { version, failed },
        'hooks that the rules ask for can not be attached: their events are not seen',
      );
    if (!interests.set(wants, version))
      this.#log.warn({ version }, 'the rules ask for more kinds of ports than the kernel can tell apart: all are sent');
    onDemand.detachUnwanted();
    for (const [watched, wanted] of texts) watched.keepOnly(wanted);
    // Where there was no room for both, there may be for one of them; meanwhile everything is sent.
    const held = both || addAll(texts);
    if (!held)
      this.#log.warn(
        { version, texts: texts.map(([, wanted]) => wanted.length) },
        'more path prefixes, file names or executables than the kernel holds: every open and every change of a file is sent',
      );
    this.#watch();
    control.allOpens = all || !held;
  }

  #texts(interest: Interest): WantedTexts {
    const { prefixes, names, executables, changedPrefixes, changedNames } = this.#filter.watched;
    return [
      [prefixes, [...(interest.openPathPrefixes ?? []), ...this.#options.watchedPaths]],
      [names, interest.openNames],
      [executables, interest.openExecutables],
      [changedPrefixes, interest.changePathPrefixes],
      [changedNames, interest.changeNames],
    ];
  }

  /** null: everything. */
  #wants({ wants }: Interest): readonly Want[] | null {
    const { audit, opens, watchedPaths } = this.#options;
    if (wants === null || audit.includes('all')) return null;
    const changes = opens === 'all' || watchedPaths.length > 0 ? ['file_change'] : [];
    return [...wants, ...[...audit, ...changes].flatMap((text) => wantOf(text) ?? [])];
  }

  #watch(): void {
    const { watched, hashes, control } = this.#filter;
    hashes.unwatched.set(unwatchedOf(watched.prefixes.keys()));
    hashes.unnamed.set(unnamedOf(watched.names.keys()));
    control.watchedHeads = headsOf(watched.prefixes.keys());
    control.watchingNames = watched.names.size > 0;
    control.watchingExecutables = watched.executables.size > 0;
    control.changedHeads = headsOf(watched.changedPrefixes.keys());
    control.watchingChangedNames = watched.changedNames.size > 0;
  }
}
