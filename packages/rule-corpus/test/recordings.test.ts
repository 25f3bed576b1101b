/** Recorded actions of the built-in rules; `npm run record` records them again. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PRIORITIES } from '@ringfence/rules';
import { builtIn } from '../src/content.ts';
import {
  commandFor,
  loadRecording,
  namesOf,
  type Overlap,
  overlapsOf,
  raisedOn,
  readActions,
  recordedSlugs,
  slugOf,
  UNRECORDED,
} from '../src/recordings/index.ts';

/** Rules of which one event may raise two: each says what the other does not, and happens without it. */
const TOGETHER: readonly string[] = [
  'BPF program loaded from a scratch folder or a container / Socket filter loaded by a script',
  "Downloaded script run by a server's command / Shell started by a network server",
  'Executable run from a deleted file / Program written by an interpreter beside its script',
  'Files of a security tool changed or removed / Program of the system overwritten',
  "Hidden executable / Hidden program started by a package's script",
  'Password given to su by a script / Set-user-id program started as exploits do',
  "Reverse shell by bash's own network / Shell started by a network server",
];
const WARNING = PRIORITIES.indexOf('warning');

/** Alerts for a person who is woken up. A sequence tells of earlier steps, too, and is not the same alert. */
const isDoubleAlert = (rules: Overlap): boolean =>
  rules.every(
    ({ profile, priority, sequence }) =>
      profile === 'recommended' && PRIORITIES.indexOf(priority) >= WARNING && sequence === undefined,
  );

describe('recordings of attacks', () => {
  const names = builtIn().rules.map(({ name }) => name);
  const recorded = names.filter((name) => !(name in UNRECORDED));
  const overlaps = new Map<string, Overlap>();

  it('have an action for each rule', () => {
    const actions = readActions().map(({ rule }) => rule);
    assert.deepEqual(actions.sort(), [...recorded].sort());
  });

  it('exist for each rule, under unique names', () => {
    assert.deepEqual(recordedSlugs().sort(), recorded.map(slugOf).sort(), 'run npm run record for the missing ones');
  });

  for (const { rule, also } of readActions())
    it(`match "${rule}" and the rules that its action names`, async () => {
      const recording = await loadRecording(rule);
      assert.ok(recording !== undefined, `there is no recording: run ${commandFor(rule)}`);
      const raised = raisedOn(rule, recording);
      for (const [text, overlap] of overlapsOf(raised)) overlaps.set(text, overlap);
      const matched = namesOf(raised);
      assert.ok(matched.includes(rule), `it matches ${matched.join(', ') || 'no rule'}`);
      const wanted = [rule, ...also].sort();
      assert.deepEqual(matched, wanted, 'name the other rules in lines "#also RULE" of the action');
    });

  it('raise one alert for one event, but for rules that say different things', (t) => {
    for (const text of [...overlaps.keys()].sort()) t.diagnostic(text);
    const doubled = [...overlaps].filter(([, overlap]) => isDoubleAlert(overlap)).map(([text]) => text);
    assert.deepEqual(doubled.sort(), TOGETHER);
  });
});
