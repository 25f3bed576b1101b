import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { durationText, type Paint, paintFor } from '@ringfence/base';
import { type Config, socketOf } from '@ringfence/config';
import { routesOf, serveApi, startApp } from '@ringfence/runtime';
import type { ApiClient } from '@ringfence/runtime/client';
import { untilInterrupted } from '@ringfence/runtime/process';
import { DemoError, type DemoOutcome, playDemo, type Step } from '@ringfence/simulator/demo';
import { DEFAULT_STACK_DIRECTORY, demoConfigOf } from '@ringfence/simulator/stack';
import { createLogger } from '@ringfence/telemetry';
import type { Incident } from '@ringfence/wire';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { type IncidentFile, renderIncident } from '../incident/view.ts';
import { clientOf, print, printJson, requireRoot, settingsOf, withReason, withSettings } from '../shared/context.ts';

/** Deadline for the incident with the result of its last command: it takes a second, on a busy machine far longer. */
const INCIDENT_DEADLINE_MS = 20_000;
/** A fleet on one machine shares its CPUs, and Elasticsearch makes new documents visible once a second. */
const FLEET_INCIDENT_DEADLINE_MS = 60_000;
const POLL_MS = 100;
/** An incident with fewer stages is still growing: the attack has more. */
const MIN_STAGES = 4;

export function addDemo(program: Command): void {
  const command = program
    .command('demo')
    .description(DESCRIPTIONS.demo)
    .option('--json', 'print one JSON object: the outcome and the incident')
    .option(
      '--fleet [directory]',
      `show the incident of the fleet of "ringfence dev fleet" (default: ${DEFAULT_STACK_DIRECTORY})`,
    )
    .addHelpText(
      'after',
      `
The sandbox is a container (cgroup, mount, pid, ipc and uts namespaces), and the attacker listens on loopback. Both are
removed at the end, and nothing else changes on this machine. If no "ringfence up" is running, the demo starts Ringfence
and stops it at the end. It needs root.

Examples:
  npm run demo
  ringfence demo --json | jq .incident.incident.stages`,
    );
  withSettings(withReason(command), '--only', '--state-dir', '--mode').action(async (_, self: Command) => {
    const signal = untilInterrupted();
    try {
      await demo(self, signal);
    } catch (error) {
      if (!signal.aborted || !(error instanceof Error) || error.name !== 'AbortError') throw error;
      throw new DemoError('interrupted; the sandbox is removed', { cause: error });
    }
  });
}

async function demo(self: Command, signal: AbortSignal): Promise<void> {
  requireRoot("making the demo's container", 'sudo npm run demo');
  const { json = false, fleet } = self.opts<{ json?: boolean; fleet?: string | true }>();
  const config = fleet === undefined ? settingsOf(self) : demoConfigOf(fleet);
  const paint = paintFor(json ? process.stderr : process.stdout);
  const log = json ? (line: string): void => void process.stderr.write(`${line}\n`) : print;
  const client = clientOf(config);
  const running = await client.isRunning();
  if (fleet !== undefined && !running)
    throw new DemoError('the fleet is not running: start it with "ringfence dev fleet"');
  await using _temporary = running ? null : await startTemporarily(config, log, paint);
  log(paint.bold('An attack in a sandbox:'));
  const outcome = await playDemo({
    containersDir: join(config.runDir, 'containers.d'),
    filesDir: join(config.stateDir, 'demo'),
    signal,
    onStep: (step) => log(stepLine(paint, step)),
  });
  log(outcomeLine(paint, outcome));
  const deadlineMs = fleet === undefined ? INCIDENT_DEADLINE_MS : FLEET_INCIDENT_DEADLINE_MS;
  const incident = await incidentOf(client, outcome, deadlineMs, signal);
  if (json) printJson({ outcome, incident }, 2);
  else
    print(
      incident === undefined
        ? paint.red('\nno incident was reported: run ringfence doctor, and check that the collector is running')
        : `\n${renderIncident(paint, incident)}`,
    );
  if (incident === undefined || outcome.stoppedAfterMs === null) process.exitCode = 1;
}

/** Starts the services in this process, like `ringfence up` without its view. */
async function startTemporarily(config: Config, log: (line: string) => void, paint: Paint): Promise<AsyncDisposable> {
  log(paint.dim('no ringfence is running: starting it for the demo…'));
  const stack = new AsyncDisposableStack();
  try {
    const app = stack.use(await startApp(config, createLogger({ ...config.log, level: 'warn' })));
    stack.use(await serveApi(socketOf(config), routesOf(app), app.operators.record));
    return stack.move();
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

const stepLine = (paint: Paint, { tactic, text }: Step): string => `  ${paint.cyan(tactic.padEnd(20))} ${text}`;

function outcomeLine(paint: Paint, { stoppedAfterMs }: DemoOutcome): string {
  if (stoppedAfterMs === null) return paint.yellow('  the attacker still has the shell: nothing killed it');
  return paint.green(
    `  the attacker's shell was killed ${durationText(stoppedAfterMs * 1000)} after the last step began`,
  );
}

/**
 * Waits for the incident of the sandbox, with its stages and the results of its commands. At the deadline it returns
 * the incident as it is, or undefined if there is none.
 */
async function incidentOf(
  client: ApiClient,
  outcome: DemoOutcome,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<IncidentFile | undefined> {
  const where = encodeURIComponent(`container.id = "${outcome.container}"`);
  // The deadline also bounds single requests: a loaded cluster may take longer to answer than the poll interval.
  const deadline = AbortSignal.timeout(deadlineMs);
  const stop = AbortSignal.any([signal, deadline]);
  let file: IncidentFile | undefined;
  try {
    while (!stop.aborted) {
      for await (const { id } of client.lines<Incident>(`/incidents?limit=1&where=${where}`, stop))
        file = await client.json<IncidentFile>(`/incident/${id}`, stop);
      if (file !== undefined && file.results.length > 0 && file.incident.stages.length >= MIN_STAGES) return file;
      await sleep(POLL_MS, undefined, { signal: stop });
    }
  } catch (error) {
    if (signal.aborted || !deadline.aborted) throw error;
  }
  return file;
}
