import { existsSync } from 'node:fs';
import { OperatorError, paintFor, pause } from '@ringfence/base';
import { type GroupView, readTopology, withAdmin } from '@ringfence/bus-kafka/topics';
import type { Config } from '@ringfence/config';
import { socketOf } from '@ringfence/config';
import { identityPaths } from '@ringfence/identity';
import { ApiClient } from '@ringfence/runtime/client';
import { brokerOptionsOf, kafkaOptionsOf } from '@ringfence/runtime/fleet';
import { untilInterrupted } from '@ringfence/runtime/process';
import type { Status } from '@ringfence/runtime/status';
import { groups as asked, interestsOf } from '@ringfence/runtime/status';
import { adminConfigOf, DEFAULT_PLACE, socketsOf } from '@ringfence/simulator/stack';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { LiveView } from '../shared/live.ts';
import { interestLines } from './interests-view.ts';
import { topologyLines } from './view.ts';

const REDRAW_MS = 2000;

const NOTHING_SEEN =
  'no topic of the fleet is to be seen: either there is none yet ("ringfence topics apply" makes them), or this user may not describe topics and groups';

interface TopologyOptions {
  readonly watch?: boolean;
  readonly json?: boolean;
  readonly fleet?: string | true;
}

export function addTopology(program: Command): void {
  const command = program
    .command('topology')
    .description(DESCRIPTIONS.topology)
    .option('--watch', 'show it again and again, until Ctrl-C')
    .option('--fleet [directory]', `show the fleet that "ringfence dev fleet" runs (default: ${DEFAULT_PLACE})`)
    .option('--json', 'print one JSON object (a line each time with --watch)')
    .addHelpText(
      'after',
      `
It takes a user of the brokers who may describe topics and groups; "ringfence topics apply" has such a one.
Which hosts filter with an older interest is told by the enrichers that run on this machine, by their sockets.
Exit code 0 when every partition has an owner, 2 when one has none, 1 when that could not be told.

Examples:
  ringfence topology --config admin.yaml
  ringfence topology --watch
  ringfence topology --json | jq '.groups[] | {group, lag: [.topics[].lag] | add}'`,
    );
  withSettings(command, '--state-dir').action((_, self: Command) => {
    const options = self.opts<TopologyOptions>();
    const config = options.fleet === undefined ? settingsOf(self) : adminConfigOf(options.fleet);
    return topology(config, options.fleet === undefined ? [socketOf(config)] : socketsOf(options.fleet), options);
  });
}

/** `sockets`: of processes that may know what hosts filter with. */
async function topology(
  config: Config,
  sockets: readonly string[],
  { watch = false, json = false }: TopologyOptions,
): Promise<void> {
  if (config.bus.driver !== 'kafka')
    throw new OperatorError(
      'there is one process on an embedded log: see ringfence status; a fleet has bus.driver kafka',
    );
  const paint = paintFor(process.stdout);
  const signal = untilInterrupted();
  using view = new LiveView(process.stdout);
  let before: { readonly groups: readonly GroupView[]; readonly at: number } | null = null;
  await withAdmin(brokersOf(config), async (admin) => {
    do {
      const groups = await readTopology(admin, asked, config.bus.kafka.topicPrefix);
      if (groups.every(({ topics }) => topics.length === 0)) throw new OperatorError(NOTHING_SEEN);
      const at = performance.now();
      const interests = interestsOf(await statusesOf(sockets));
      const lines = [
        ...topologyLines(paint, groups, before?.groups ?? [], before === null ? 0 : (at - before.at) / 1000),
        ...(interests === null ? [] : interestLines(interests, paint)),
      ];
      if (json) printJson({ brokers: config.bus.kafka.brokers, groups, interests }, watch ? 0 : 2);
      else if (watch && view.interactive) view.draw(lines);
      else print(lines.join('\n'));
      before = { groups, at };
      const whole = groups.every(({ topics }) => topics.every(({ unowned }) => unowned.length === 0));
      process.exitCode = whole ? 0 : 2;
      if (watch) await pause(REDRAW_MS, signal);
    } while (watch && !signal.aborted);
  });
}

/** Of those that run. */
async function statusesOf(sockets: readonly string[]): Promise<Status[]> {
  const asked = await Promise.all(sockets.map((socket) => new ApiClient(socket).status()));
  return asked.filter((status) => status !== null);
}

/** A service shows the certificate that it was enrolled with, as `up` does; others what is set. */
const brokersOf = (config: Config): ReturnType<typeof kafkaOptionsOf> =>
  existsSync(identityPaths(config.identity.path).certificate) ? brokerOptionsOf(config) : kafkaOptionsOf(config);
