import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { renderProblem } from '@ringfence/checked-yaml';
import { loadSinks } from '../src/settings/load.ts';
import { sinkOf } from './support.ts';

const problemsOf = (text: string): string =>
  loadSinks([{ name: 's.yaml', text }])
    .problems.map(renderProblem)
    .join('\n');

suite('a file of sinks', () => {
  for (const { what, text, expected } of [
    {
      what: 'an unknown key',
      text: 'sink: a\ntype: webhook\nurll: https://x.example\nurl: https://x.example\n',
      expected: 's.yaml:3:1: unknown key "urll"\n  urll: …\n  ^',
    },
    {
      what: 'an unknown type',
      text: 'sink: a\ntype: pigeon\n',
      expected: /^s\.yaml:2:7: type: expected one of .*syslog.*webhook/,
    },
    {
      what: 'a secret in the file',
      text: 'sink: a\ntype: webhook\nurl: https://x.example\nauthorization: hunter2\n',
      expected:
        /^s\.yaml:4:16: authorization: expected file:\/PATH or env:NAME, where the secret is; the value is not shown/,
    },
    {
      what: 'a connection without TLS to another host',
      text: 'sink: a\ntype: webhook\nurl: http://x.example\n',
      expected: /^s\.yaml:3:6: url: expected TLS/,
    },
    {
      what: 'a bad regular expression',
      text: "sink: a\ntype: webhook\nurl: https://x.example\nredact: {patterns: ['(']}\n",
      expected: /^s\.yaml:4:21: redact\.patterns\.0: expected a regular expression/,
    },
    {
      what: 'a bad severity',
      text: 'sink: a\ntype: webhook\nurl: https://x.example\nonly: {severity: loud}\n',
      expected: /^s\.yaml:4:18: only\.severity: /,
    },
    { what: 'no type', text: 'sink: a\n', expected: /^s\.yaml:1:1: type: expected one of/ },
  ]) {
    test(`with ${what} is refused with its place`, () => {
      const problems = problemsOf(text);
      if (typeof expected === 'string') assert.equal(problems, expected);
      else assert.match(problems, expected);
    });
  }

  test('never shows a secret that stands in it', () => {
    const problems = loadSinks([
      { name: 's.yaml', text: 'sink: a\ntype: webhook\nurl: https://x.example\nauthorization: hunter2\n' },
    ]).problems;
    assert.deepEqual(
      problems.map((problem) => renderProblem(problem).includes('hunter2')),
      [false],
    );
  });

  test('may allow a connection without TLS, and loopback needs no permission', () => {
    assert.equal(sinkOf('{sink: a, type: webhook, url: http://x.example, insecure: true}').common.insecure, true);
    assert.equal(sinkOf('{sink: a, type: webhook, url: http://127.0.0.1:1}').name, 'a');
  });
});
