import type { Paint } from '@ringfence/base';
import type { Checked, Unmatched } from '@ringfence/rule-lab';
import type { Diagnostic, RuleSource } from '@ringfence/rules';
import { escapeText } from '@ringfence/wire';
import { counted } from '../shared/numbers.ts';
import { diagnosticsText } from './diagnostics-view.ts';

/** More diagnostics are summed up by their reasons, unless all are asked for. */
const MOST_SHOWN = 50;
/** Rules shown of one cause. */
const MOST_RULES = 20;
/** Places shown of one reason. */
const PLACES = 3;
const CAUSES = {
  contradiction: 'parts of the rule exclude each other',
  source: 'Ringfence does not read its source',
  kernel: 'the kernel has no such event or value',
} as const;

/** Formats what a check found. @param all show each diagnostic, however many there are */
export function checkText(checked: Checked, sources: readonly RuleSource[], all: boolean, paint: Paint): string {
  const { diagnostics, files, rules, errors, warnings } = checked;
  const isLong = diagnostics.length > MOST_SHOWN && !all;
  const found = isLong ? summaryText(diagnostics, paint) : diagnosticsText(diagnostics, sources, paint);
  const scope = `${counted(files, 'file')}, ${counted(rules, 'active rule')}`;
  const colour = errors > 0 ? 'red' : warnings > 0 ? 'yellow' : 'green';
  const total = paint[colour](`${scope}: ${counted(errors, 'error')}, ${counted(warnings, 'warning')}`);
  return [...(found === '' ? [] : [found, '']), ...witnessLines(checked, paint), total].join('\n');
}

/** Returns a line for each reason, the most frequent first, with some of its places. */
function summaryText(diagnostics: readonly Diagnostic[], paint: Paint): string {
  const groups = [...Map.groupBy(diagnostics, reasonOf)].sort(([, a], [, b]) => b.length - a.length);
  const lines = groups.flatMap(([reason, some]) => {
    const [first] = some;
    const word = first?.severity === 'error' ? paint.red('error') : paint.yellow('warning');
    const places = some
      .slice(0, PLACES)
      .map(({ file, line, item }) => `${escapeText(file)}:${line} ${escapeText(item)}`);
    const more = some.length > PLACES ? ` … and ${some.length - PLACES} more` : '';
    return [`${String(some.length).padStart(6)} ${word} ${reason}`, `       ${places.join(', ')}${more}`];
  });
  return [...lines, '', `--all shows each of the ${diagnostics.length} with its line`].join('\n');
}

/** Returns the message without the names and values of one rule. */
function reasonOf({ code, message, item }: Diagnostic): string {
  const general = message
    .replaceAll(`'${item}'`, '…')
    .replace(/(?<=: ).*$/, '')
    .replace(/:? ?$/, '');
  return `${code}: ${escapeText(general)}`;
}

/** Rules without a witness, by their cause; none if each rule has one. */
function witnessLines({ witnesses: { found, none, undecided } }: Checked, paint: Paint): string[] {
  if (none.length === 0 && undecided.length === 0) return [];
  const all = found + none.length + undecided.length;
  const head = `Witnesses: ${found} of ${all} rules; ${none.length} can't match, ${undecided.length} are not decided`;
  const groups = Object.entries(CAUSES).map(
    ([cause, title]) => [title, none.filter((one) => one.cause === cause)] as const,
  );
  const lines = [...groups, ['not decided', undecided] as const].flatMap(([title, some]) =>
    some.length === 0
      ? []
      : [`  ${title} (${some.length})`, ...some.slice(0, MOST_RULES).map(unmatchedLine), ...moreOf(some)],
  );
  return [paint.bold(head), ...lines, ''];
}

const moreOf = ({ length }: readonly Unmatched[]): string[] =>
  length > MOST_RULES ? [`    … and ${length - MOST_RULES} more: --json lists all`] : [];

const unmatchedLine = ({ rule, reasons }: Unmatched): string =>
  `    ${escapeText(rule)}: ${escapeText(reasons.join('; '))}`;
