import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { compileDetectorRules } from '@ringfence/detector';
import { checkRules } from '../src/check.ts';
import { readSources } from '../src/sources.ts';

const BUILTIN = { detector: { rules: ['builtin'], reorderMs: 0 } } as unknown as Parameters<typeof readSources>[1];

const dir = mkdtempSync(join(tmpdir(), 'rf-check-'));
test.after(() => rmSync(dir, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

/** Rules whose excuse is an option or a name that makes a program do something else. The list may only get shorter. */
const EXCUSED = [
  'Agent of SSH of a user used by root',
  'Backup programs looked for',
  'Client of a container engine started in a container',
  'Cluster told to run something by hand',
  'Code without a file asks for a name of the internet',
  'Copy to a cloud storage',
  'Download beside an interpreter',
  'Download from an address without a name beside an interpreter',
  'File of a scratch folder copied to another machine',
  "Files listed by a server's command",
  'Files encrypted by a tool, then the originals removed',
  'Mail sent by a script',
  'Port scan',
  'Port scan from a container',
  'Rival miners looked for',
  'Running process steered by a debugger',
  'Tool copied from a scratch folder to a scratch folder elsewhere',
  'Transfer tool given a bare address',
  'Whole folder of the system removed',
  'Whole folder tree searched',
  'Wireless networks looked for',
];

test('the built-in rules have no errors and no warnings but the excuses that are listed', async () => {
  const checked = checkRules(await readSources([], BUILTIN));
  assert.ok(checked.rules >= 80, `${checked.rules}`);
  const excused = new Set(checked.diagnostics.filter(({ code }) => code === 'excuse').map(({ item }) => item));
  assert.deepEqual([...excused].sort(), EXCUSED.toSorted());
  assert.deepEqual(
    checked.diagnostics.filter(({ code }) => code !== 'excuse'),
    [],
  );
});

test('a file may use macros of the configured files, and gets diagnostics of itself only', async () => {
  const path = write('custom.yaml', '- rule: r\n  condition: seen_starting and shell and proces.pid = 1\n');
  const checked = checkRules(await readSources([path], BUILTIN));
  assert.deepEqual([checked.files, checked.rules, checked.errors, checked.warnings], [1, 0, 1, 0]);
  assert.deepEqual(
    checked.diagnostics.map(({ file, line, column, code }) => [file, line, column, code]),
    [[path, 2, 42, 'unknown-field']],
  );
  const alone = checkRules(await readSources([path], BUILTIN, true));
  assert.deepEqual(
    alone.diagnostics.map(({ code }) => code),
    ['unknown-macro', 'unknown-macro', 'unknown-field'],
  );
});

test('a rule that no event can match is reported as such, with the events that have its fields', async () => {
  const path = write('never.yaml', '- rule: r\n  condition: event.action = fork and process.exit_code = 22\n');
  const [found] = checkRules(await readSources([path], BUILTIN)).diagnostics;
  assert.equal(found?.code, 'never');
  assert.match(found?.hint ?? '', /process\.exit_code is on exit/);
});

test('an io_uring request, a log line or a context is not another action', async () => {
  const action = 'event.action = exec';
  const text = `- rule: r\n  condition: ${action} and file.open.write\n- rule: s\n  condition: ${action}\n`;
  const path = write('mixed.yaml', text);
  const { diagnostics } = checkRules(await readSources([path], BUILTIN));
  assert.deepEqual(
    diagnostics.map(({ line, code, hint }) => [line, code, hint]),
    [[2, 'never', 'file.open.write is on open, io_uring.']],
  );
  assert.deepEqual(
    compileDetectorRules([{ name: path, text }], 'hunt').rules.map(({ kinds }) => kinds),
    [[], ['exec']],
  );
});

test('a value that a field never has is reported, in steps of sequences too', async () => {
  const path = write(
    'slip.yaml',
    `- rule: r
  condition: event.action in (exce, open) and event.outcome != sucess and event.action startswith exc
- rule: s
  condition: >
    sequence by host.id with maxspan=1m
      [ event.action = exec ]
      [ event.action = conect and network.transport = upd ]
      ![ event.action = session-open ]
`,
  );
  assert.deepEqual(
    checkRules(await readSources([path], BUILTIN))
      .diagnostics.filter(({ code }) => code === 'unknown-value')
      .map(({ line, column, message, hint }) => `${line}:${column} ${message} ${hint}`),
    [
      "2:31 'event.action' is never 'exce' Did you mean 'exec'?",
      "2:64 'event.outcome' is never 'sucess' Did you mean 'success'?",
      "7:24 'event.action' is never 'conect' Did you mean 'connect'?",
      "7:55 'network.transport' is never 'upd' Did you mean 'udp'?",
      "8:25 'event.action' is never 'session-open' Did you mean 'session-opened'?",
    ],
  );
});
