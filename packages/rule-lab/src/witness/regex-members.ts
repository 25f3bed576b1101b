/** A text that a regular expression finds, and where it must stand. */
export interface Member {
  readonly text: string;
  /** Nothing may stand before it. */
  readonly atStart: boolean;
  /** Nothing may stand after it. */
  readonly atEnd: boolean;
}

/** Members kept of each part: more would multiply. */
const KEPT = 24;
const EMPTY: Member = { text: '', atStart: false, atEnd: false };
/** Characters to take from a class, from the most ordinary. */
const ORDINARY = [...'xa1Z5e/ .-_,:;=@%+"\'()[]{}<>|&*?!#$^`~\\\t\n', '\0', 'é'];
const CLASSES: Readonly<Record<string, RegExp>> = { d: /\d/, w: /\w/, s: /\s/, D: /\D/, W: /\W/, S: /\S/ };
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', f: '\f', v: '\v', a: '\x07' };
const POSIX: Readonly<Record<string, RegExp>> = {
  alpha: /[a-z]/i,
  digit: /\d/,
  alnum: /[a-z\d]/i,
  upper: /[A-Z]/,
  lower: /[a-z]/,
  space: /\s/,
  punct: /[!-/:-@[-`{-~]/,
  xdigit: /[\da-f]/i,
};
/** Largest number of repetitions that is written out. */
const MOST_REPEATED = 512;

/**
 * Returns texts that the expression (RE2 syntax) should find, the shortest of each alternative first. The caller tries
 * them: word boundaries and unusual syntax are not taken into account.
 */
export function regexMembers(pattern: string): readonly Member[] {
  const reader = new Reader(pattern.replace(/^\(\?[imsU]+\)/, ''));
  return reader.alternatives();
}

class Reader {
  readonly #pattern: string;
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  alternatives(): readonly Member[] {
    const all: Member[] = [];
    do all.push(...this.#sequence());
    while (this.#takes('|'));
    return distinct(all);
  }

  #takes(text: string): boolean {
    if (!this.#pattern.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #sequence(): readonly Member[] {
    let members: readonly Member[] = [EMPTY];
    while (this.#at < this.#pattern.length && !'|)'.includes(this.#pattern[this.#at]!))
      members = joined(members, this.#repeated(this.#atom()));
    return members;
  }

  #atom(): readonly Member[] {
    const char = this.#pattern[this.#at++]!;
    switch (char) {
      case '^':
        return [{ ...EMPTY, atStart: true }];
      case '$':
        return [{ ...EMPTY, atEnd: true }];
      case '.':
        return oneOf((candidate) => candidate !== '\n');
      case '(':
        return this.#group();
      case '[':
        return this.#class();
      case '\\':
        return this.#escape();
      default:
        return [textual(char)];
    }
  }

  #group(): readonly Member[] {
    const flags = /^\?(?:P?<[^>]*>|[imsU-]*:)/.exec(this.#pattern.slice(this.#at));
    this.#at += flags?.[0].length ?? 0;
    // (?i) alone sets flags for the rest.
    const only = flags === null ? /^\?[imsU-]+\)/.exec(this.#pattern.slice(this.#at)) : null;
    if (only !== null) {
      this.#at += only[0].length;
      return [EMPTY];
    }
    const members = this.alternatives();
    this.#takes(')');
    return members;
  }

  #escape(): readonly Member[] {
    const char = this.#pattern[this.#at++] ?? '\\';
    if (char === 'b' || char === 'B') return [EMPTY];
    if (char === 'A') return [{ ...EMPTY, atStart: true }];
    if (char === 'z') return [{ ...EMPTY, atEnd: true }];
    if (char === 'Q') return [textual(this.#until('\\E'))];
    const fits = CLASSES[char];
    if (fits !== undefined) return oneOf((candidate) => fits.test(candidate));
    if (char === 'x') return [textual(this.#hexadecimal())];
    if (char === 'p' || char === 'P') {
      if (this.#takes('{')) this.#until('}');
      else this.#at++;
      return oneOf(() => true);
    }
    return [textual(CONTROLS[char] ?? char)];
  }

  #hexadecimal(): string {
    const isLong = this.#takes('{');
    const digits = isLong ? this.#until('}') : this.#pattern.slice(this.#at, this.#at + 2);
    if (!isLong) this.#at += 2;
    return String.fromCodePoint(Math.min(0x10_ffff, Number.parseInt(digits, 16) || 0));
  }

  #until(end: string): string {
    const found = this.#pattern.indexOf(end, this.#at);
    const stop = found === -1 ? this.#pattern.length : found;
    const text = this.#pattern.slice(this.#at, stop);
    this.#at = stop + end.length;
    return text;
  }

  #class(): readonly Member[] {
    const negated = this.#takes('^');
    const parts: ((candidate: string) => boolean)[] = [];
    const given: string[] = [];
    for (let first = true; this.#at < this.#pattern.length && (first || this.#pattern[this.#at] !== ']'); first = false)
      this.#classPart(parts, given);
    this.#takes(']');
    const fits = (candidate: string): boolean => parts.some((part) => part(candidate)) !== negated;
    return oneOf(fits, negated ? [] : given);
  }

  #classPart(parts: ((candidate: string) => boolean)[], given: string[]): void {
    const posix = /^\[:(\^?)(\w+):\]/.exec(this.#pattern.slice(this.#at));
    if (posix !== null) {
      this.#at += posix[0].length;
      const fits = POSIX[posix[2] ?? ''];
      parts.push((candidate) => (fits?.test(candidate) ?? false) !== (posix[1] === '^'));
      return;
    }
    const escaped = /^\\([dwsDWS])/.exec(this.#pattern.slice(this.#at))?.[1];
    if (escaped !== undefined) {
      this.#at += 2;
      parts.push((candidate) => CLASSES[escaped]!.test(candidate));
      return;
    }
    const low = this.#classCharacter();
    const isRange = this.#pattern[this.#at] === '-' && this.#pattern[this.#at + 1] !== ']';
    if (isRange) this.#at++;
    const high = isRange ? this.#classCharacter() : low;
    given.push(low);
    parts.push((candidate) => candidate >= low && candidate <= high);
  }

  #classCharacter(): string {
    const char = this.#pattern[this.#at++] ?? '';
    if (char !== '\\') return char;
    const next = this.#pattern[this.#at++] ?? '';
    return next === 'x' ? this.#hexadecimal() : (CONTROLS[next] ?? next);
  }

  #repeated(members: readonly Member[]): readonly Member[] {
    let result = members;
    for (;;) {
      const counts = /^(?:[*+?]|\{(\d+)(?:,\d*)?\})\??/.exec(this.#pattern.slice(this.#at));
      if (counts === null) return result;
      this.#at += counts[0].length;
      const least = Number(counts[1] ?? (counts[0].startsWith('+') ? 1 : 0));
      result = least === 0 ? distinct([EMPTY, ...result]) : times(result, Math.min(least, MOST_REPEATED));
    }
  }
}

const textual = (text: string): Member => ({ ...EMPTY, text });

/** Returns a few characters of a class: the first that it names, and ordinary ones. */
function oneOf(fits: (candidate: string) => boolean, given: readonly string[] = []): readonly Member[] {
  const found = [...new Set([...ORDINARY.filter(fits).slice(0, 3), ...given.slice(0, 4)])];
  return found.map(textual);
}

function times(members: readonly Member[], count: number): readonly Member[] {
  return members.map((member) => ({ ...member, text: member.text.repeat(count) }));
}

function joined(before: readonly Member[], after: readonly Member[]): readonly Member[] {
  const all: Member[] = [];
  for (const first of before)
    for (const second of after) {
      // An anchor inside of a text can't hold.
      if ((first.atEnd && second.text !== '') || (second.atStart && first.text !== '')) continue;
      const [atStart, atEnd] = [first.atStart || second.atStart, first.atEnd || second.atEnd];
      all.push({ text: first.text + second.text, atStart, atEnd });
    }
  return distinct(all);
}

/** Keeps the first of each, evenly over all of them if there are too many. */
function distinct(members: readonly Member[]): readonly Member[] {
  const found = [
    ...new Map(members.map((member) => [`${member.text}\0${member.atStart}${member.atEnd}`, member])).values(),
  ];
  if (found.length <= KEPT) return found;
  return Array.from({ length: KEPT }, (_, i) => found[Math.floor((i * found.length) / KEPT)]!);
}
