/** What rules of other products ask for, and what we say to that. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compile } from './sigma/support.ts';

const said = (condition: string, more = ''): string =>
  compile(`- rule: r\n  condition: ${condition}\n${more}`)
    .diagnostics.map(({ message, hint }) => `${message}. ${hint}`)
    .join('\n');

describe('a field that has another name elsewhere', () => {
  const again = '[ event.action = exec ] [ event.action = exec and process.name = x ]';
  for (const [title, text] of [
    ['in a condition', said('session_id = 3')],
    ['in the by of a sequence', said(`sequence by session_id with maxspan=1m ${again}`)],
    [
      'in the by of a threshold',
      said('event.action = exec', '  threshold: { count: 5, by: [session_id], within: 1m }\n'),
    ],
  ] as const)
    test(`is looked for by its words, ${title}`, () =>
      assert.match(text, /unknown field 'session_id'\. Did you mean 'process\.session\.id'\?/));

  test('of the leader of a session is told what else to join by', () =>
    assert.match(
      said(`sequence by host.id, process.session_leader.entity_id with maxspan=1m ${again}`),
      /unknown field.* use process\.parent\.entity_id, or host\.id with process\.session\.id/,
    ));
});

describe("an action of Elastic's events", () => {
  test('is reported with its equivalent here', () => {
    assert.match(said('event.action = end'), /is never 'end'\. Write event\.action = exit\./);
    assert.match(said('event.action = session_id_change'), /No event reports a new session \(setsid\)/);
  });

  test('has hints that name existing actions and fields only', () => {
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
        /Write (event\.action = [\w. =]+?)[.:]?(?: a connection|$)/m.exec(said(`event.action = ${action}`)) ?? [];
      assert.equal(said(advice), '', `${action}: ${advice}`);
    }
  });
});
