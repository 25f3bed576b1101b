import { readFileSync } from 'node:fs';
import { type ParseArgsConfig, parseArgs } from 'node:util';

type Parsed<T extends ParseArgsConfig> = ReturnType<typeof parseArgs<T>>;

/** Returns the comment at the head of a source file, without the stars: the usage of a script. */
export function headComment(file: string): string {
  const comment = /^\/\*\*(.*?)\*\//s.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
  return comment.replace(/^ *\* ?/gm, '').trim();
}

/**
 * Parses the arguments of the process, as `parseArgs` does. Prints the comment at the head of the script and exits with
 * 0 for `--help`; prints the reason and exits with 2 for wrong arguments.
 *
 * @param file path of the script
 */
export function scriptArguments<const T extends ParseArgsConfig>(file: string, config: T): Parsed<T> {
  if (process.argv.slice(2).includes('--help')) {
    console.log(headComment(file));
    process.exit(0);
  }
  try {
    return parseArgs<T>(config);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`${error.message}\n--help shows the arguments.`);
    process.exit(2);
  }
}
