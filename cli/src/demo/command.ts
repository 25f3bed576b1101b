import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { durationText, type Paint, paintFor } from '@ringfence/base';
import type { Config } from '@ringfence/config';
import { socketOf } from '@ringfence/config';
import { routesOf, serveApi, startApp } from '@ringfence/runtime';
import type { ApiClient } from '@ringfence/runtime/client';
import { untilInterrupted } from '@ringfence/runtime/process';
import type { Incident } from '@ringfence/schema';
import { DemoError, type DemoOutcome, playDemo, type Step } from '@ringfence/simulator/demo';
import { DEFAULT_STACK_DIRECTORY, demoConfigOf } from '@ringfence/simulator/stack';
import { createLogger } from '@ringfence/telemetry';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { type IncidentFile, renderIncident } from '../incident/view.ts';
import { clientOf, needRoot, print, printJson, settingsOf, withSettings } from '../shared/context.ts';

/** The story is whole when its last command has its result; that takes far less. */
const STORY_MS = 5000;
/** In a fleet on one machine everybody waits for everybody, and Elasticsearch shows what is new once a second. */
const FLEET_STORY_MS = 60_000;

export function addDemo(program: Command): void {
  const command = program
    .command('demo')
    .description(DESCRIPTIONS.demo)
    .option('--json', 'print one JSON object: the outcome and the incident')
    .option(
      '--fleet [directory]',
      `ask the fleet that "ringfence dev fleet" runs (default: ${DEFAULT_STACK_DIRECTORY})`,
    )
    .addHelpText(
      'after',
      `
The sandbox is a container of the demo's own (cgroup, mount, pid, ipc and uts namespaces) and the attacker listens on loopback: nothing of the
machine is touched and nothing is left. Without a running "ringfence up" it starts one for as long as it takes. Root only.

Examples:
  npm run demo
  ringfence demo --json | jq .incident.incident.stages`,
    );
  withSettings(command, '--only', '--state-dir', '--mode').action(async (_, self: Command) => {
    const signal = untilInterrupted();
    try {
      await demo(self, signal);
    } catch (error) {
      if (!signal.aborted || !(error instanceof Error) || error.name !== 'AbortError') throw error;
      throw new DemoError('interrupted; nothing of the demo is left', { cause: error });
    }
  });
}

async function demo(self: Command, signal: AbortSignal): Promise<void> {
  needRoot("making the demo's container", 'sudo npm run demo');
  const { json = false, fleet } = self.opts<{ json?: boolean; fleet?: string | true }>();
  const config = fleet === undefined ? settingsOf(self) : demoConfigOf(fleet);
  const paint = paintFor(json ? process.stderr : process.stdout);
  const say = json ? (line: string): void => void process.stderr.write(`${line}\n`) : print;
  const client = clientOf(config);
  const running = await client.isRunning();
  if (fleet !== undefined && !running) throw new DemoError('no fleet runs there: ringfence dev fleet');
  await using _own = running ? null : await startOwn(config, say, paint);
  say(paint.bold('An attack in a sandbox of its own:'));
  const outcome = await playDemo({
    containersDir: join(config.runDir, 'containers.d'),
    filesDir: join(config.stateDir, 'demo'),
    signal,
    onStep: (step) => say(stepLine(paint, step)),
  });
  say(ending(paint, outcome));
  const incident = await storyOf(client, outcome, fleet === undefined ? STORY_MS : FLEET_STORY_MS, signal);
  if (json) printJson({ outcome, incident }, 2);
  else
    print(
      incident === undefined
        ? paint.red('\nno incident came of it: is the collector running? ringfence doctor')
        : `\n${renderIncident(paint, incident)}`,
    );
  if (incident === undefined || outcome.stoppedAfterMs === null) process.exitCode = 1;
}

/** Nobody watches yet: `up` without its view, in this process. */
async function startOwn(config: Config, say: (line: string) => void, paint: Paint): Promise<AsyncDisposable> {
  say(paint.dim('no ringfence is running: starting one for the demo…'));
  const stack = new AsyncDisposableStack();
  try {
    const app = stack.use(await startApp(config, createLogger({ ...config.log, level: 'warn' })));
    stack.use(await serveApi(socketOf(config), routesOf(app)));
    return stack.move();
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

const stepLine = (paint: Paint, { tactic, text }: Step): string => `  ${paint.cyan(tactic.padEnd(20))} ${text}`;

function ending(paint: Paint, { stoppedAfterMs }: DemoOutcome): string {
  if (stoppedAfterMs === null) return paint.yellow('  the attacker still has the shell: nothing stopped it');
  return paint.green(
    `  the attacker's shell is dead ${durationText(stoppedAfterMs * 1000)} after its last step was ordered`,
  );
}

/** The incident of the sandbox's container, once what was done about it is known. */
async function storyOf(
  client: ApiClient,
  outcome: DemoOutcome,
  patienceMs: number,
  signal: AbortSignal,
): Promise<IncidentFile | undefined> {
  const where = encodeURIComponent(`container.id = "${outcome.container}"`);
  // By the clock: a loaded cluster may take longer for an answer than we pause between two.
  const late = AbortSignal.timeout(patienceMs);
  const either = AbortSignal.any([signal, late]);
  let file: IncidentFile | undefined;
  try {
    while (!either.aborted) {
      for await (const { id } of client.lines<Incident>(`/incidents?limit=1&where=${where}`, either))
        file = await client.json<IncidentFile>(`/incident/${id}`, either);
      if (file !== undefined && file.results.length > 0 && file.incident.stages.length >= 4) return file;
      await sleep(100, undefined, { signal: either });
    }
  } catch (error) {
    if (signal.aborted || !late.aborted) throw error;
  }
  return file;
}
