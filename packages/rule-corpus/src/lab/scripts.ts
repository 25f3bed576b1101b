import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A script for a sandbox. */
export interface Script {
  readonly title: string;
  /** Lines `#NAME TEXT`, by name. */
  readonly marks: Readonly<Record<string, readonly string[]>>;
  readonly text: string;
}

const MARK = /^#(\w+) (.*)$/;

/** Reads the scripts of all files in a folder. `## TITLE` begins a script; a line such as `#in IMAGE` describes it. */
export function readScripts(folder: string): Script[] {
  const files = readdirSync(folder).sort();
  return files.flatMap((file) => {
    const [, ...parts] = readFileSync(join(folder, file), 'utf8').split(/^## /m);
    return parts.map(scriptOf);
  });
}

function scriptOf(part: string): Script {
  const [title = '', ...lines] = part.split('\n');
  const marks: Record<string, string[]> = {};
  const text: string[] = [];
  for (const line of lines) {
    const [, name, rest = ''] = MARK.exec(line) ?? [];
    if (name === undefined) text.push(line);
    else marks[name] = [...(marks[name] ?? []), rest];
  }
  return { title, marks, text: text.join('\n') };
}
