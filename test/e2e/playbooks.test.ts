import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { SimulatedRun } from '@ringfence/responder';
import { Group, Scratch } from '@ringfence/testkit/sensor';
import type { Command } from '@ringfence/wire';
import { isStopped, processesIn, startReady } from './lib/processes.ts';
import { Installation } from './lib/program.ts';
import { skip } from './lib/root.ts';
import { until } from './lib/wait.ts';

/** The program itself, not the shell that starts it: a run is about the first process of an incident. */
const RULES = ['one', 'two'].map(
  (last) => `- rule: ${last}
  desc: The program of this test was executed.
  condition: event.action = exec and process.name = tree and process.command_line endswith " ${last}"
  output: "%process.command_line"
  priority: critical
  tags: [execution]
`,
);

const KILLS = `playbook: kills
mode: enforce
when: { rules: [one] }
steps:
  - do: suspend
  - do: collect
    parameters: { what: process }
    on_failure: continue
  - wait: 1s
    do: kill
`;

/** An agent refuses the quarantine of a file that it does not have. */
const UNDOES = `playbook: undoes
mode: enforce
when: { rules: [two] }
steps:
  - do: suspend
  - do: quarantine
    parameters: { path: /nowhere/miner }
    on_failure: undo
`;

describe('playbooks', { skip, concurrency: false }, () => {
  let home: Installation;
  let scratch: Scratch;
  let program: string;
  before(async () => {
    scratch = new Scratch();
    program = scratch.compile('tree');
    home = new Installation(['collector.actions=kill,suspend,quarantine,collect']);
    writeFileSync(join(home.dir, 'rules.yaml'), RULES.join(''));
    writeFileSync(join(home.dir, 'playbooks.yaml'), `${asItem(KILLS)}${asItem(UNDOES)}`);
    home.settings.push(`detector.rules=${join(home.dir, 'rules.yaml')}`);
    home.settings.push(`responder.playbooks=${join(home.dir, 'playbooks.yaml')}`);
    await home.up();
  });
  after(async () => {
    await home?.[Symbol.asyncDispose]();
    scratch?.[Symbol.dispose]();
  });

  /** The commands of a playbook with their outcomes, in the order in which they were given. */
  async function doneBy(playbook: string): Promise<string[]> {
    using audit = home.audit();
    const incidents = await Array.fromAsync(audit.incidents());
    const dossiers = incidents.flatMap(({ id }) => audit.incident(id) ?? []);
    const commands = dossiers.flatMap((dossier) => dossier.commands);
    const results = dossiers.flatMap((dossier) => dossier.results);
    const outcomes = new Map(results.map(({ id, outcome }) => [id, outcome]));
    return commands
      .filter(({ policy }: Command) => policy === `playbook/${playbook}`)
      .sort((a: Command, b: Command) => a.issuedAt - b.issuedAt)
      .map(({ id, act }: Command) => `${act} ${outcomes.get(id) ?? '…'}`);
  }

  test('stop, collect and kill real processes', async () => {
    await using group = new Group();
    // It may be stopped before it is ready.
    group.start(program, 'idle', 'one');
    await until('the run is recorded', async () => isOver(await doneBy('kills')));
    await until('nothing of the tree lives', () => processesIn(group).length === 0);
    assert.deepEqual(await doneBy('kills'), ['suspend executed', 'collect executed', 'kill executed']);
    assert.ok(readdirSync(join(home.stateDir, 'evidence/content')).length > 0);
  });

  test('show what they would have done, without doing it', async () => {
    const text = await home.output(['playbooks', 'simulate', '--since', '1h', '--json']);
    const { runs } = JSON.parse(text) as { runs: SimulatedRun[] };
    const run = runs.find(({ playbook }) => playbook === 'kills');
    assert.deepEqual(
      run?.steps.map(({ name }) => name),
      ['suspend', 'collect', 'kill'],
    );
    assert.match(run.executable, /tree/);
    assert.ok(!runs.some(({ playbook }) => playbook === 'undoes'));
  });

  test('keep the playbooks in force while a changed file has errors', async () => {
    writeFileSync(join(home.dir, 'playbooks.yaml'), 'playbook: kills\nsteps: 1\n');
    await until('the status says so', async () => /earlier ones stay in force/.test(await home.output(['status'])));
    await using group = new Group();
    const { pid } = await startReady(group, program, 'idle', 'two');
    await until('the run is over', async () => isOver(await doneBy('undoes')));
    const [suspend, quarantine, undo] = await doneBy('undoes');
    assert.deepEqual([suspend, undo], ['suspend executed', 'undo executed']);
    assert.match(quarantine ?? '', /refused|failed/);
    assert.ok(processesIn(group).length > 0, `process ${pid} is gone`);
    assert.ok(!processesIn(group).some(isStopped));
  });
});

const asItem = (text: string): string => `- ${text.trimEnd().replaceAll('\n', '\n  ')}\n`;

/** Each of three commands has its Result. */
const isOver = (done: readonly string[]): boolean => done.length === 3 && !done.some((each) => each.endsWith('…'));
