import assert from 'node:assert/strict';
import test from 'node:test';
import type { Status } from '@ringfence/runtime/status';
import { statusLines } from '../src/status/view.ts';
import { plain } from './support.ts';

test('the status shows below the services why an enricher cannot detect silent hosts', () => {
  const status = (deaf: string | null): Status =>
    ({
      ...{ version: '1', hostId: 'h', mode: 'observe', uptimeS: 7200, rssBytes: 0, bus: { usedBytes: 0 } },
      services: [{ name: 'enricher', lag: 0, stats: { deaf, deafLooks: { late: 3 } } }],
    }) as unknown as Status;
  const lines = (deaf: string | null) => statusLines(plain, status(deaf), status(deaf), 1);
  assert.match(lines(null)[0] ?? '', /up 2 h/);
  assert.equal(lines(null).length, 3);
  assert.equal(lines('this enricher looks too late').at(-1), '  this enricher looks too late');
});

test('the status shows that the agent obeys no responder, and why', () => {
  const status = (control?: object): Status =>
    ({
      ...{ version: '1', hostId: 'h', mode: 'observe', uptimeS: 1, rssBytes: 0, bus: { usedBytes: 0 } },
      services: [],
      control,
    }) as unknown as Status;
  const lines = (control?: object) => statusLines(plain, status(control), status(control), 1).slice(2);
  assert.deepEqual(lines(), []);
  assert.deepEqual(lines({ obeysNobody: 0, standingAgeSeconds: 60 }), []);
  assert.deepEqual(lines({ obeysNobody: 1, standingAgeSeconds: 7200 }), [
    '  this agent obeys no responder: its standing is 2 h old; check that it reaches the registrar',
  ]);
  assert.match(lines({ obeysNobody: 1, standingAgeSeconds: -1 })[0] ?? '', /has no standing/);
});

test('the status lists refused rule files and the number of errors in rules', () => {
  const status = (stats: object) =>
    ({
      ...{ version: '1', hostId: 'h', mode: 'observe', uptimeS: 1, rssBytes: 0, bus: { usedBytes: 0 } },
      services: [{ name: 'detector', lag: 0, stats }],
    }) as unknown as Status;
  const lines = (stats: object) => statusLines(plain, status(stats), status(stats), 1).slice(3);
  assert.deepEqual(lines({ refusedRuleFiles: [], ruleErrors: 0 }), []);
  assert.deepEqual(lines({ refusedRuleFiles: ['my/a\u001b.yaml'], ruleErrors: 2 }), [
    '  my/a\\x1b.yaml has errors: its previous version stays in force; run ringfence rules check',
    '  2 errors in rules: rules with errors are skipped; run ringfence rules check',
  ]);
});
