import { type CompiledRule, Formulas } from '@ringfence/rules';
import type { EventView } from '@ringfence/wire';
import type { Judge } from '../events/judge.ts';
import type { Constraint } from './constraint.ts';
import type { Entries } from './groups.ts';
import { Player } from './player.ts';
import { countedConstraints, repeated } from './repeat.ts';
import { type Found, type Missed, Search } from './search.ts';
import { SequenceSearch } from './sequence.ts';

type Rule = CompiledRule<EventView>;

/** Events, in the language of tests, that make a rule match; or why there are none. */
export type Witness =
  | { readonly kind: 'witness'; readonly events: readonly Entries[] }
  /** No event can match: each reason is certain. */
  | { readonly kind: 'none'; readonly reasons: readonly string[] }
  /** The search found no event, and no proof that there is none. */
  | { readonly kind: 'undecided'; readonly reasons: readonly string[] };

/** Plays that the search for one rule may take. */
const BUDGET = 200;
/** Kinds whose events other kinds also tell: they are tried last. */
const LAST: ReadonlySet<string> = new Set(['io_uring', 'log']);

/** Looks for witnesses of the rules of a judge. */
export class Witnesses {
  readonly #judge: Judge;
  readonly #formulas = new Formulas<EventView>();

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  /** Only events that were played through codec, enricher and matcher and raised the rule are a witness. */
  of(rule: Rule): Witness {
    const player = new Player(this.#judge, BUDGET);
    const kinds = [...rule.kinds].sort((a, b) => Number(LAST.has(a)) - Number(LAST.has(b)));
    if (rule.sequence !== undefined) {
      const events = new SequenceSearch(rule.sequence, kinds, this.#formulas, player).run();
      return 'why' in events ? without([events]) : this.#played(rule, [events], player);
    }
    const missed: Missed[] = [];
    for (const kind of kinds) {
      const condition = this.#formulas.on(kind, rule.expression);
      if (condition.kind === 'constant' && !condition.value) continue;
      const needed = countedConstraints(rule);
      const search = (joined: readonly Constraint[]): Found | Missed =>
        new Search(player, {
          condition,
          kind,
          joined,
          before: [],
          operands: needed.map(({ test }) => test.operand),
        }).run();
      const again = (more: readonly Constraint[]): Found | undefined => {
        const other = search([...needed, ...more]);
        return 'events' in other ? other : undefined;
      };
      const found = search(needed);
      if ('events' in found) {
        const witness = this.#played(rule, repeated(rule, found, again), player);
        if (witness.kind === 'witness') return witness;
        missed.push({ isProof: false, why: witness.reasons.join(', ') });
      } else missed.push(found);
    }
    return without(missed);
  }

  #played(rule: Rule, candidates: Iterable<readonly Entries[]>, player: Player): Witness {
    for (const events of candidates) {
      if (player.left <= 0) break;
      if (player.fired(events).has(rule.name)) return { kind: 'witness', events };
    }
    return { kind: 'undecided', reasons: ['events satisfy its condition, but do not make it match'] };
  }
}

function without(missed: readonly Missed[]): Witness {
  const reasons = [...new Set(missed.map(({ why }) => why))];
  return { kind: missed.every(({ isProof }) => isProof) ? 'none' : 'undecided', reasons };
}
