/**
 * Makes the recordings of attacks anew: plays each action in a sandbox, or in a guest, under the sensor with what the rules ask of it, and stores what happened there.
 *
 *   sudo npm run record                 all of them; ends with 1 when a rule does not match on its own
 *   sudo npm run record -- TEXT…        those of the rules whose name has TEXT in it; the others stay as they are
 */
import { interrupted } from '../../test/bench/lib/interrupt.ts';
import { type Action, readActions } from './actions.ts';
import { playInGuest } from './guest.ts';
import { hostOf, load, matchesOf, NOTHING, type Played, store } from './library.ts';
import { play } from './play.ts';

const LIMIT_MS = 90_000;
const wanted = process.argv.slice(2);
const actions = readActions().filter(({ rule }) => wanted.length === 0 || wanted.some((text) => rule.includes(text)));
const before = wanted.length === 0 ? NOTHING : await load();
const keys = new Map(before.keys);
const recordings = new Map(before.recordings);
const matched: Record<string, readonly string[]> = { ...before.matched };

function onPlayed({ rule }: Action, { key, batches }: Played, said: string): void {
  const host = hostOf(rule);
  keys.set(host, key);
  recordings.set(host, batches);
  const names = matchesOf(host, batches, keys);
  matched[rule] = names;
  if (wanted.length > 0 && said !== '') process.stderr.write(`${rule}: ${said}\n`);
  if (!names.includes(rule)) {
    process.exitCode = 1;
    process.stdout.write(`does not match: ${rule}; ${names.join(', ') || 'nothing does'}\n`);
  } else if (wanted.length > 0) process.stdout.write(`${rule}: ${names.join(', ')}\n`);
}

// The guest first: where none can be run, nobody waits for the rest to be told.
try {
  await playInGuest(
    actions.filter(({ guest }) => guest !== undefined),
    { signal: interrupted, onPlayed },
  );
  await play(
    actions.filter(({ guest }) => guest === undefined),
    { limitMs: LIMIT_MS, signal: interrupted, onPlayed },
  );
} catch (error) {
  if (!interrupted.aborted) throw error;
}
// What was there stays as it is.
if (interrupted.aborted) process.exit(130);
store({ recordings, keys, matched });
