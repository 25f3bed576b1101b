import { RE2JS } from 're2js';
import { Fault } from '../diagnostics/errors.ts';
import { LIMITS } from '../model/limits.ts';

/** Characters without a special meaning in a regular expression. */
const PLAIN = /^[\w\s/:,;=@%&~`'"<>!-]+$/;

/** Texts of which a regular expression remembers its answer, and their length in UTF-16 code units */
const REMEMBERED_TEXTS = 256;
const REMEMBERED_LENGTH = 128;

/** A regular expression without operators is a search for text, which is cheaper and can be indexed. */
export function isPlainText(pattern: string): boolean {
  return PLAIN.test(pattern);
}

/**
 * Returns a matcher whose time is proportional to text and pattern, so a text that an attacker wrote can't cause
 * backtracking. It searches the whole text, and `.` matches line breaks too: otherwise a newline in an argument would
 * hide the rest.
 * @throws Fault at 0
 */
export function compileRegex(pattern: string): (text: string) => boolean {
  if (pattern.length > LIMITS.regexLength) {
    throw new Fault(
      'regex',
      0,
      `the regular expression has ${pattern.length} characters; ${LIMITS.regexLength} are allowed`,
    );
  }
  const compiled = parse(pattern);
  if (compiled.programSize() > LIMITS.regexProgram) {
    throw new Fault(
      'regex',
      0,
      'the regular expression is too large with its repetitions expanded',
      'Use smaller {counts}.',
    );
  }
  return remembered((text) => compiled.test(text));
}

/**
 * Remembers the answers for short texts, since a host starts the same few programs over and over: an answer costs a
 * tenth of a search. Texts that never repeat, such as those of an attacker, cost a little more than a search.
 */
function remembered(test: (text: string) => boolean): (text: string) => boolean {
  const answers = new Map<string, boolean>();
  return (text) => {
    if (text.length > REMEMBERED_LENGTH) return test(text);
    let answer = answers.get(text);
    if (answer !== undefined) return answer;
    answer = test(text);
    if (answers.size >= REMEMBERED_TEXTS) answers.clear();
    answers.set(text, answer);
    return answer;
  };
}

function parse(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern, RE2JS.DOTALL);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace(/^error parsing regexp: /, '') : String(cause);
    throw new Fault(
      'regex',
      0,
      `the regular expression can't be used: ${why}`,
      'RE2 syntax: no back-references and no look-around.',
    );
  }
}
