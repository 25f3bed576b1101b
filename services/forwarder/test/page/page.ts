/** The blocks of docs/SINKS.md, and its settings with other places. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const PAGE = join(import.meta.dirname, '../../../../docs/SINKS.md');

export interface Block {
  /** Heading of the section, as it is written */
  readonly section: string;
  /** After the three backquotes; empty: none */
  readonly language: string;
  readonly text: string;
  /** What the page says above a block that no test runs */
  readonly notTried: string | undefined;
}

/** Returns the blocks of the page in order. */
export function blocksOfPage(): Block[] {
  const sections = readFileSync(PAGE, 'utf8').split(/^## /m).slice(1);
  return sections.flatMap((part) => {
    const section = part.slice(0, part.indexOf('\n'));
    const blocks = part.matchAll(/(?:^\*Not tried: ([^*]+)\*\n\n)?^```(\w*)\n(.*?)^```$/gms);
    return [...blocks].map(([, notTried, language = '', text = '']) => ({ section, language, text, notTried }));
  });
}

/** Returns the sinks of a block; a list has several. */
export function sinksOf(text: string): string[] {
  if (!text.startsWith('- ')) return [text];
  return text
    .split(/^- /m)
    .slice(1)
    .map((item) => item.replaceAll(/^ {2}/gm, ''));
}

export const nameOf = (sink: string): string => /^sink: (\S+)$/m.exec(sink)?.[1] ?? '';

/** Returns the settings with other lines; a key that they lack is added, an empty value removes the line. */
export function withLines(sink: string, lines: Readonly<Record<string, string>>): string {
  let text = sink;
  for (const [key, value] of Object.entries(lines)) {
    const line = new RegExp(`^${key}: .*\\n`, 'm');
    const written = value === '' ? '' : `${key}: ${value}\n`;
    text = line.test(text) ? text.replace(line, () => written) : `${text.trimEnd()}\n${written}`;
  }
  return text;
}

/** Returns the settings with each file of a secret in `place`, and the names of the secrets: of files, of variables. */
export function withSecretsIn(sink: string, place: string): { readonly text: string; readonly names: string[] } {
  const names: string[] = [];
  const text = sink.replaceAll(/(file|env):([\w/.-]+)/g, (_, source: string, at: string) => {
    const name = at.slice(at.lastIndexOf('/') + 1);
    names.push(name);
    return source === 'env' ? `env:${name}` : `file:${join(place, name)}`;
  });
  return { text, names };
}
