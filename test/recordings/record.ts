/**
 * Records the actions of the built-in rules (rules/recordings/actions): plays each in a sandbox or in a guest, under
 * the sensor with the interest of the rules, and stores its events in rules/recordings.
 *
 *   sudo npm run record                        all of them
 *   sudo npm run record -- TEXT…               those of the rules whose name contains TEXT
 *   npm run record -- --export FILE RULE       writes the recording of RULE to FILE, for `ringfence replay`
 *
 * Exits with 1 if a rule does not compile, has no action, or does not match on its own recording.
 */
import { scriptArguments } from '@ringfence/base/script';
import {
  type Action,
  checkRules,
  exportRecording,
  matchesOf,
  type PlayedAction,
  play,
  readActions,
  removeStale,
  storeRecording,
} from '@ringfence/rule-corpus/recordings';
import { compileProgram } from '@ringfence/testkit/sensor';
import { interrupted } from '../bench/lib/interrupt.ts';
import { playInGuest } from './guest.ts';

const LIMIT_MS = 90_000;
const { values, positionals: texts } = scriptArguments(import.meta.filename, {
  allowPositionals: true,
  options: { export: { type: 'string' } },
});
if (values.export === undefined) await record();
else await exportRecording(texts.join(' '), values.export);

async function record(): Promise<void> {
  const all = readActions();
  const actions = all.filter(({ rule }) => texts.length === 0 || texts.some((text) => rule.includes(text)));
  if (actions.length === 0) {
    console.error(
      `no rule in rules/recordings/actions has ${texts.map((text) => `"${text}"`).join(' or ')} in its name`,
    );
    process.exit(1);
  }
  // A rule that does not compile matches nothing: refuse it before anything is played.
  checkRules();
  const played = new Map<string, PlayedAction>();
  const onPlayed = ({ rule }: Action, action: PlayedAction, stderr: string): void => {
    played.set(rule, action);
    const names = matchesOf(rule, action);
    if (texts.length > 0 && stderr !== '') process.stderr.write(`${rule}: ${stderr}\n`);
    if (!names.includes(rule)) {
      process.exitCode = 1;
      process.stdout.write(`does not match: ${rule}; ${names.join(', ') || 'no rule does'}\n`);
    } else if (texts.length > 0) process.stdout.write(`${rule}: ${names.join(', ')}\n`);
  };
  try {
    // The guest first: where none can run, the command fails before it plays the rest.
    await playInGuest(
      actions.filter(({ guest }) => guest !== undefined),
      { signal: interrupted, onPlayed },
    );
    await play(
      actions.filter(({ guest }) => guest === undefined),
      { limitMs: LIMIT_MS, compile: compileProgram, signal: interrupted, onPlayed },
    );
  } catch (error) {
    if (!interrupted.aborted) throw error;
  }
  // An interrupted run stores nothing.
  if (interrupted.aborted) process.exit(130);
  for (const [rule, action] of played) storeRecording(rule, action);
  if (texts.length === 0) await removeStale(all.map(({ rule }) => rule));
}
