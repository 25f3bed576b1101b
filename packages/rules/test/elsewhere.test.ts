/** Hints for fields and actions that rules of other products name. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compile } from './sigma/support.ts';

const messages = (condition: string, more = ''): string =>
  compile(`- rule: r\n  condition: ${condition}\n${more}`)
    .diagnostics.map(({ message, hint }) => `${message}. ${hint}`)
    .join('\n');

describe('a field that other products name differently', () => {
  const again = '[ event.action = exec ] [ event.action = exec and process.name = x ]';
  for (const [title, text] of [
    ['in a condition', messages('session_id = 3')],
    ['in the by of a sequence', messages(`sequence by session_id with maxspan=1m ${again}`)],
    [
      'in the by of a threshold',
      messages('event.action = exec', '  threshold: { count: 5, by: [session_id], within: 1m }\n'),
    ],
  ] as const)
    test(`is suggested by its words, ${title}`, () =>
      assert.match(text, /unknown field 'session_id'\. Did you mean 'process\.session\.id'\?/));

  test('of a session leader joins events', () =>
    assert.equal(messages(`sequence by host.id, process.session_leader.entity_id with maxspan=1m ${again}`), ''));
});

describe("an action of Elastic's events", () => {
  test('gets a hint with the name that Ringfence uses', () => {
    assert.match(messages('event.action = end'), /is never 'end'\. Write event\.action = exit\./);
    assert.match(messages('event.action = session_id_change'), /No event reports a new session \(setsid\)/);
  });

  test('gets a hint whose names are all valid', () => {
    const actions = [
      'start',
      'uid_change',
      'connection_attempted',
      'connection_accepted',
      'disconnect_received',
      'lookup_requested',
      'creation',
      'overwrite',
      'deletion',
      'load_kernel_module',
    ];
    for (const action of actions) {
      const [, advice = ''] =
        /Write (event\.action = [\w. =]+?)[.:]?(?: a connection|$)/m.exec(messages(`event.action = ${action}`)) ?? [];
      assert.equal(messages(advice), '', `${action}: ${advice}`);
    }
  });
});
