import { RE2JS } from 're2js';
import { Fault } from '../diagnostics/errors.ts';
import { LIMITS } from '../model/limits.ts';

/** Characters without a special meaning in a regular expression. */
const PLAIN = /^[\w\s/:,;=@%&~`'"<>!-]+$/;

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
  return (text) => compiled.test(text);
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
