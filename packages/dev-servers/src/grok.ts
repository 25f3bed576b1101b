import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { classPathMissing, jarsOf } from './class-path.ts';
import { TestServerError } from './errors.ts';
import { bringJava, javaMissing } from './java.ts';

const PROJECT = 'grok';
const OLDEST_JAVA = 21;

export interface Grok extends AsyncDisposable {
  /** Returns the captures of a text by field, as the pattern writes it; null: no match. Throws ERR_TESTKIT_TOOL. */
  match(expression: string, text: string): Promise<Readonly<Record<string, string | number>> | null>;
}

/** Returns the reason why grok cannot be run; undefined when it can. */
export function grokMissing(): string | undefined {
  return javaMissing(OLDEST_JAVA) ?? classPathMissing(PROJECT);
}

/** Starts Elasticsearch's grok with a directory of patterns. Logstash has the same regular expressions (joni). */
export async function startGrok(patterns: string): Promise<Grok> {
  const java = await bringJava(OLDEST_JAVA);
  const jars = await jarsOf(PROJECT, java);
  const args = ['-Xmx64m', '-XX:TieredStopAtLevel=1', '-cp', jars.join(':'), 'ringfence.testkit.RunGrok', patterns];
  const child = spawn(java.path, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async match(expression, text) {
      child.stdin.write(`${expression}\t${Buffer.from(text).toString('base64')}\n`);
      const { value, done } = await answers.next();
      if (done === true) throw new TestServerError('ERR_TESTKIT_TOOL', `grok ended at ${expression}`);
      return JSON.parse(value) as Record<string, string | number> | null;
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await ended;
    },
  };
}
