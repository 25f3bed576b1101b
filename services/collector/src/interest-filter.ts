import { basename } from 'node:path';
import type { Log } from '@ringfence/base';
import { EVERY_VARIABLE, INITIAL_INTEREST, type Interest, wantOf } from '@ringfence/interest';
import {
  type ControlBlock,
  headsOf,
  type OnDemandHooks,
  type SensorFilter,
  USUAL_VARIABLES,
  unnamedOf,
  unwatchedOf,
  type WatchedTexts,
} from '@ringfence/sensor';
import type { Want } from '@ringfence/wire';
import type { CompiledOptions } from './config.ts';
import type { FileWatch } from './file-watch.ts';

type Options = Pick<CompiledOptions, 'opens' | 'watchedPaths' | 'audit' | 'environment'>;
type Filter = Pick<SensorFilter, 'watched' | 'interests'> & {
  readonly hashes: Readonly<Record<keyof SensorFilter['hashes'], { set(bytes: Uint8Array): void }>>;
  readonly onDemand: OnDemandHooks;
  readonly files: Pick<FileWatch, 'want'>;
  readonly control: Pick<
    ControlBlock,
    | 'allOpens'
    | 'watchedHeads'
    | 'watchingNames'
    | 'watchingExecutables'
    | 'changedHeads'
    | 'watchingChangedNames'
    | 'rawPaths'
    | 'allVariables'
    | 'watchingVariables'
  >;
};

const NAMES_LOGGED = 20;

type WantedTexts = readonly (readonly [watched: WatchedTexts, wanted: readonly string[]])[];

const addAll = (texts: WantedTexts): boolean => texts.every(([watched, wanted]) => watched.add(wanted));

/** A `*` at the end of a pattern stands for any characters; so only the pattern `*` allows every variable. */
function isMatch(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/**
 * Sets the sensor's filter: which kinds of events, opens and changes of files leave the kernel. When the filter cannot
 * hold an interest, the sensor sends too much rather than too little.
 */
export class InterestFilter {
  readonly #options: Options;
  readonly #filter: Filter;
  readonly #log: Log;
  /** Variables that the last interest asked for in vain; the same ones are reported once. */
  #refused = '';

  constructor(options: Options, filter: Filter, log: Log) {
    this.#options = options;
    this.#filter = filter;
    this.#log = log;
  }

  /** Sets the filter for the time before content is loaded. A resumed sensor keeps the earlier agent's filter. */
  start(resumed: boolean): void {
    if (resumed && this.#options.opens !== 'all') return;
    this.apply(INITIAL_INTEREST);
  }

  /** Adds the new entries before it removes old ones, so that nothing covered by both interests is missed. */
  apply(interest: Interest): void {
    const { version } = interest;
    const { interests, control, onDemand } = this.#filter;
    const texts = this.#texts(interest);
    const wantsAllOpens = this.#options.opens === 'all' || interest.openPathPrefixes === null;
    const fitsBeside = addAll(texts);
    if (wantsAllOpens || !fitsBeside) control.allOpens = true;
    this.#updateHashes();
    const wants = this.#wants(interest);
    const failed = onDemand.attachFor(wants);
    if (failed.length > 0)
      this.#log.warn({ version, failed }, 'hooks that the rules need cannot be attached: their events are not seen');
    if (!interests.set(wants, version))
      this.#log.warn(
        { version },
        'the rules name more combinations of ports than the kernel can tell apart: every port is sent',
      );
    onDemand.detachUnwanted();
    for (const [watched, wanted] of texts) watched.keepOnly(wanted);
    // Without the old entries there may be room. Until then, everything is sent.
    const fits = fitsBeside || addAll(texts);
    if (!fits)
      this.#log.warn(
        { version, texts: texts.map(([, wanted]) => wanted.length) },
        'more path prefixes, file names or executables than the kernel holds: every open and change of a file is sent',
      );
    this.#updateHashes();
    control.allOpens = wantsAllOpens || !fits;
    this.#watchFiles(interest);
    control.rawPaths = interest.rawPaths;
    this.#watchVariables(interest);
  }

  /** A variable that no rule asks for any more must not be sent meanwhile, so the old ones are removed first. */
  #watchVariables({ version, environment }: Interest): void {
    const { control, watched } = this.#filter;
    const asked = environment.filter((name) => !USUAL_VARIABLES.has(name));
    const allowed = this.#options.environment;
    const refused = asked.filter((name) => !allowed.some((pattern) => isMatch(pattern, name)));
    if (refused.length > 0 && refused.join() !== this.#refused)
      this.#log.warn(
        { version, refused: refused.slice(0, NAMES_LOGGED) },
        'rules ask for environment variables that sensor.environment does not allow: they are not sent',
      );
    this.#refused = refused.join();
    const granted = asked.filter((name) => !refused.includes(name));
    // A rule that asks for all variables gets those that the setting names.
    const instead = refused.includes(EVERY_VARIABLE) ? allowed.filter((name) => !name.endsWith('*')) : [];
    const named = new Set([...granted, ...instead]);
    control.allVariables = named.delete(EVERY_VARIABLE);
    watched.variables.keepOnly([...named]);
    if (!watched.variables.add([...named]))
      this.#log.warn(
        { version, variables: named.size },
        'more environment variables than the kernel holds: none of the new ones is sent',
      );
    control.watchingVariables = watched.variables.size > 0;
  }

  /** A file that a rule asks for by its path or its name is also sent when it is opened by another path. */
  #watchFiles({ openPathPrefixes, openNames, openPaths }: Interest): void {
    const { watchedPaths } = this.#options;
    const prefixes = [...(openPathPrefixes ?? []), ...watchedPaths];
    const names = new Set(openNames);
    this.#filter.files.want(
      [...watchedPaths, ...openPaths, ...(openPathPrefixes ?? [])],
      (path) => names.has(basename(path)) || prefixes.some((prefix) => path.startsWith(prefix)),
    );
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

  /** Returns the wanted kinds of events, or null for all. */
  #wants({ wants }: Interest): readonly Want[] | null {
    const { audit, opens, watchedPaths } = this.#options;
    if (wants === null || audit.includes('all')) return null;
    const changes = opens === 'all' || watchedPaths.length > 0 ? ['file_change'] : [];
    return [...wants, ...[...audit, ...changes].flatMap((text) => wantOf(text) ?? [])];
  }

  /** Updates the tables by which the sensor rules out most paths without a lookup. */
  #updateHashes(): void {
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
