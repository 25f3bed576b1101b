/** Syntax that may change the meaning of letters or is not worth parsing: flags, named groups, POSIX classes. */
const UNSURE = /\(\?[^:]|\[:/;
const REPETITION = /\{\d+(?:,\d*)?\}/y;

/**
 * Returns the longest text that every match of a regular expression contains, '' if none is certain. It looks only
 * outside of groups and gives up when in doubt, because the result is used to skip the expression.
 */
export function requiredText(pattern: string): string {
  if (UNSURE.test(pattern)) return '';
  let longest = '';
  let run = '';
  const close = (): void => {
    if (run.length > longest.length) longest = run;
    run = '';
  };
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!;
    switch (char) {
      case '|':
        return '';
      case '*':
      case '?':
        run = withoutLast(run);
        close();
        break;
      case '{': {
        REPETITION.lastIndex = i;
        if (!REPETITION.test(pattern)) return '';
        run = withoutLast(run);
        close();
        i = REPETITION.lastIndex - 1;
        break;
      }
      case '(':
        close();
        i = endOfGroup(pattern, i);
        break;
      case '[':
        close();
        i = endOfClass(pattern, i);
        break;
      case '\\': {
        const next = pattern[++i] ?? '';
        if (/^[dswDSWbBAztnrfv]$/.test(next)) close();
        else if (/^[!-/:-@[-`{-~]$/.test(next)) run += next;
        else return '';
        break;
      }
      case '.':
      case '+':
      case '^':
      case '$':
        close();
        break;
      default:
        run += char;
    }
  }
  close();
  return longest;
}

function withoutLast(text: string): string {
  return text.replace(/.$/su, '');
}

function endOfClass(pattern: string, from: number): number {
  let i = from + 1;
  if (pattern[i] === '^') i++;
  if (pattern[i] === ']') i++;
  for (; i < pattern.length && pattern[i] !== ']'; i++) if (pattern[i] === '\\') i++;
  return i;
}

function endOfGroup(pattern: string, from: number): number {
  let depth = 0;
  for (let i = from; i < pattern.length; i++) {
    const char = pattern[i];
    if (char === '\\') i++;
    else if (char === '[') i = endOfClass(pattern, i);
    else if (char === '(') depth++;
    else if (char === ')' && --depth === 0) return i;
  }
  return pattern.length;
}
