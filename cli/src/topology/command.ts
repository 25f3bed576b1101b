import { existsSync } from 'node:fs';
import { OperatorError, paintFor, pause } from '@ringfence/base';
import { type GroupView, readTopology, withAdmin } from '@ringfence/bus-kafka/topics';
import { type Config, socketOf } from '@ringfence/config';
import { identityPaths } from '@ringfence/identity';
import { ApiClient } from '@ringfence/runtime/client';
import { kafkaOptionsOf, kafkaOptionsWithIdentity } from '@ringfence/runtime/fleet';
import { untilInterrupted } from '@ringfence/runtime/process';
import { consumerGroups, interestsOf, type Status } from '@ringfence/runtime/status';
import { adminConfigOf, DEFAULT_STACK_DIRECTORY, socketsOf } from '@ringfence/simulator/stack';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { LiveView } from '../shared/live.ts';
import { interestLines } from './interests-view.ts';
import { topologyLines } from './view.ts';

const REDRAW_MS = 2000;

const NO_TOPICS =
  'no topic of the fleet is visible: create them with "ringfence topics apply", or allow this user to describe topics and groups';

interface TopologyOptions {
  readonly watch?: boolean;
  readonly json?: boolean;
  readonly fleet?: string | true;
}

export function addTopology(program: Command): void {
  const command = program
    .command('topology')
    .description(DESCRIPTIONS.topology)
    .option('--watch', 'refresh until Ctrl-C')
    .option('--fleet [directory]', `show the fleet of "ringfence dev fleet" (default: ${DEFAULT_STACK_DIRECTORY})`)
    .option('--json', 'print one JSON object (with --watch, one line per refresh)')
    .addHelpText(
      'after',
      `
Needs a Kafka user that may describe topics and groups, such as the user of "ringfence topics apply".
The hosts that filter with an older interest come from the enrichers on this machine, through their sockets.

Exit codes: 0 every partition has an owner, 2 a partition has none, 1 an error.

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

/** `sockets`: of the processes to ask for the interests of hosts. */
async function topology(
  config: Config,
  sockets: readonly string[],
  { watch = false, json = false }: TopologyOptions,
): Promise<void> {
  if (config.bus.driver !== 'kafka')
    throw new OperatorError(
      'bus.driver is embedded, so there is one process only: run ringfence status; a fleet needs bus.driver kafka',
    );
  const paint = paintFor(process.stdout);
  const signal = untilInterrupted();
  using view = new LiveView(process.stdout);
  let previous: { readonly groups: readonly GroupView[]; readonly at: number } | null = null;
  await withAdmin(brokersOf(config), async (admin) => {
    do {
      const groups = await readTopology(admin, consumerGroups, config.bus.kafka.topicPrefix);
      if (groups.every(({ topics }) => topics.length === 0)) throw new OperatorError(NO_TOPICS);
      const at = performance.now();
      const interests = interestsOf(await statusesOf(sockets));
      const lines = [
        ...topologyLines(paint, groups, previous?.groups ?? [], previous === null ? 0 : (at - previous.at) / 1000),
        ...(interests === null ? [] : interestLines(interests, paint)),
      ];
      if (json) printJson({ brokers: config.bus.kafka.brokers, groups, interests }, watch ? 0 : 2);
      else if (watch && view.interactive) view.draw(lines);
      else print(lines.join('\n'));
      previous = { groups, at };
      const isOwned = groups.every(({ topics }) => topics.every(({ unowned }) => unowned.length === 0));
      process.exitCode = isOwned ? 0 : 2;
      if (watch) await pause(REDRAW_MS, signal);
    } while (watch && !signal.aborted);
  });
}

/** Returns the statuses of the processes that are running. */
async function statusesOf(sockets: readonly string[]): Promise<Status[]> {
  const statuses = await Promise.all(sockets.map((socket) => new ApiClient(socket).status()));
  return statuses.filter((status) => status !== null);
}

/** Uses the certificate of the enrolment if this machine has one, as `up` does; else the settings of the bus. */
const brokersOf = (config: Config): ReturnType<typeof kafkaOptionsOf> =>
  existsSync(identityPaths(config.identity.path).certificate)
    ? kafkaOptionsWithIdentity(config)
    : kafkaOptionsOf(config);
