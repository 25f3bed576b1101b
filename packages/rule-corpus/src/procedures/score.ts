import { EventJudge } from '@ringfence/rule-lab';
import { attackTechnique, type CompiledRule, PRIORITIES } from '@ringfence/rules';
import type { EventView } from '@ringfence/wire';
import { builtIn } from '../content.ts';
import { hostOf, type PlayedAction } from '../recordings/library.ts';
import type { Procedure } from './corpus.ts';

/** The lowest priority that counts as an alert; below it is context. */
const ALERT = PRIORITIES.indexOf('notice');

/** Rules that matched on a procedure, by their names. */
export interface Verdict {
  readonly procedure: Procedure;
  readonly recommended: readonly string[];
  readonly hunt: readonly string[];
  /** Whether one of the rules has the procedure's technique. */
  readonly isTechniqueRight: boolean;
}

/** Rules that match on a sandbox in which nothing happens, by user and place. */
export type Background = ReadonlyMap<string, ReadonlySet<string>>;

const SILENCE = {
  part: 'open',
  technique: 'T1082',
  also: [],
  expect: 'silent',
  why: 'everyday',
  setup: '',
  script: ':',
} as const;

/** Procedures in which nothing happens, for each user and place. */
export const CONTROLS: readonly Procedure[] = (['root', 'ann'] as const).flatMap((user) =>
  [false, true].map((isInContainer) => ({ ...SILENCE, name: settingOf({ user, isInContainer }), user, isInContainer })),
);

/** Returns user and place of a procedure. */
export function settingOf({ user, isInContainer }: Pick<Procedure, 'user' | 'isInContainer'>): string {
  return `${user} ${isInContainer ? 'in a container' : 'on the host'}`;
}

/**
 * Judges the events of a procedure by the built-in rules. Those of the background are not the procedure's: they
 * concern the start of the sandbox.
 */
export function judgeProcedure(
  procedure: Procedure,
  { key, batches }: PlayedAction,
  background: Background = new Map(),
): Verdict {
  const usual = background.get(settingOf(procedure));
  const matched = new Map<string, CompiledRule<EventView>>();
  const onMatch = (rule: CompiledRule<EventView>): void => {
    if (isAlert(rule) && usual?.has(rule.name) !== true) matched.set(rule.name, rule);
  };
  const judge = new EventJudge({ rules: builtIn(), keyFor: () => key, onMatch });
  for (const batch of batches) judge.take(hostOf(procedure.name), batch);
  const rules = [...matched.values()];
  const namesOf = (profile: string): string[] =>
    rules
      .filter((rule) => rule.profile === profile)
      .map(({ name }) => name)
      .sort();
  const wanted = [procedure.technique, ...procedure.also];
  return {
    procedure,
    recommended: namesOf('recommended'),
    hunt: namesOf('hunt'),
    isTechniqueRight: rules.some(({ techniques }) => techniques.some((id) => isRight(id, wanted))),
  };
}

/** Whether a match counts as an alert. */
export const isAlert = ({ priority }: CompiledRule<EventView>): boolean => PRIORITIES.indexOf(priority) >= ALERT;

/** An alert is right with the technique itself, or with the technique that it belongs to. */
export function isRight(id: string, wanted: readonly string[]): boolean {
  const current = attackTechnique(id)?.id ?? id;
  return wanted.some((technique) => current === technique || technique.startsWith(`${current}.`));
}

/** A count and the number that it is a part of. */
export interface Share {
  readonly found: number;
  readonly of: number;
}

export interface Score {
  /** Procedures that expect a recommended alert, and raised one. */
  readonly recommended: Share;
  /** Procedures that expect an alert, and raised one with the rules of both profiles. */
  readonly hunt: Share;
  /** Procedures that raised an alert that was expected, with the right technique. */
  readonly technique: Share;
  /** Procedures that should be silent, and raised no alert with the rules of both profiles. */
  readonly silent: Share;
}

export function scoreOf(verdicts: readonly Verdict[]): Score {
  const expected = verdicts.filter(({ procedure }) => procedure.expect !== 'silent');
  const found = expected.filter(isFound);
  const recommended = verdicts.filter(({ procedure }) => procedure.expect === 'recommended');
  const silent = verdicts.filter(({ procedure }) => procedure.expect === 'silent');
  return {
    recommended: share(recommended, (verdict) => verdict.recommended.length > 0),
    hunt: share(expected, isFound),
    technique: share(found, ({ isTechniqueRight }) => isTechniqueRight),
    silent: share(silent, (verdict) => !isFound(verdict)),
  };
}

const isFound = ({ recommended, hunt }: Verdict): boolean => recommended.length + hunt.length > 0;

function share(verdicts: readonly Verdict[], isCounted: (verdict: Verdict) => boolean): Share {
  return { found: verdicts.filter(isCounted).length, of: verdicts.length };
}

/** Whether the procedure did not do what it should. Of the held-out part, only counts are shown. */
export function isMiss(verdict: Verdict): boolean {
  const { procedure, recommended, isTechniqueRight } = verdict;
  if (procedure.expect === 'silent') return isFound(verdict);
  if (procedure.expect === 'recommended' && recommended.length === 0) return true;
  return !isFound(verdict) || !isTechniqueRight;
}
