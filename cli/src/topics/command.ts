import { OperatorError, paintFor } from '@ringfence/base';
import {
  applyPlan,
  brokersOf,
  type Plan,
  planTopics,
  readActual,
  type TopicAdmin,
  withAdmin,
} from '@ringfence/bus-kafka/topics';
import type { Config } from '@ringfence/config';
import {
  fleetTopics,
  kafkaOptionsOf,
  type MissingSchema,
  missingSchemas,
  registerSchemas,
} from '@ringfence/runtime/fleet';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { print, printJson, settingsOf, withReason, withSettings } from '../shared/context.ts';
import { changeLine, planLines } from './view.ts';

/** Exit code of a difference, as of `terraform plan -detailed-exitcode`. */
const DRIFT = 2;

export function addTopics(program: Command): void {
  const topics = program.command('topics').description(DESCRIPTIONS.topics);
  const plan = topics
    .command('plan')
    .description('show how brokers and schema registry differ from the settings; changes nothing')
    .option('--json', 'print the plan as one JSON object')
    .addHelpText(
      'after',
      `
Exit codes: 0 no difference, 2 a difference, 1 an error.

Examples:
  ringfence topics plan --config fleet.yaml
  ringfence topics plan --json | jq .changes`,
    );
  withSettings(plan).action(async (_, self: Command) => {
    const found = await planAll(fleetOf(self));
    if (self.opts<{ json?: boolean }>().json) printJson(found, 2);
    else print(planLines(paintFor(process.stdout), found, found.schemas).join('\n'));
    if (hasDrift(found)) process.exitCode = DRIFT;
  });
  const apply = topics
    .command('apply')
    .description(
      'create missing topics, correct their settings, add access entries, register schemas; deletes and moves nothing',
    )
    .option('--json', 'print one JSON object: the changes, and the differences that remain')
    .addHelpText(
      'after',
      `
Needs a Kafka user that may describe, create and alter topics and access lists; the services do not need these rights.

Exit codes: 0 no difference remains, 2 a difference remains to fix by hand, 1 the brokers refused a change.

Examples:
  ringfence topics apply --config fleet.yaml
  ringfence topics apply --set bus.kafka.partitions=48`,
    );
  withSettings(withReason(apply)).action((_, self: Command) =>
    applyAll(fleetOf(self), self.opts<{ json?: boolean }>().json === true),
  );
}

/** Throws OperatorError if bus.driver is embedded: the default brokers do not exist. */
function fleetOf(self: Command): Config {
  const config = settingsOf(self);
  if (config.bus.driver === 'kafka') return config;
  throw new OperatorError(
    `there are no brokers: bus.driver is embedded, and ringfence up creates its topics itself in ${config.bus.embedded.path}; a fleet needs bus.driver kafka`,
  );
}

/** The plan of the brokers and of the schema registry. `schemas`: null if no registry is set. */
type FleetPlan = Plan & { readonly schemas: readonly MissingSchema[] | null };

const hasDrift = ({ changes, byHand, schemas }: FleetPlan): boolean =>
  changes.length + byHand.length + (schemas?.length ?? 0) > 0;

async function planAll(config: Config): Promise<FleetPlan> {
  const plan = await withAdmin(kafkaOptionsOf(config), (admin) => planOf(admin, config));
  return { ...plan, schemas: await missingSchemas(config) };
}

async function planOf(admin: TopicAdmin, config: Config): Promise<Plan> {
  const desired = fleetTopics(config, await brokersOf(admin));
  return planTopics(desired, await readActual(admin, desired));
}

async function applyAll(config: Config, json: boolean): Promise<void> {
  const paint = paintFor(process.stdout);
  const changed = await withAdmin(kafkaOptionsOf(config), async (admin) => {
    const plan = await planOf(admin, config);
    await applyPlan(admin, plan, (change) => {
      if (!json) print(changeLine(paint, change));
    });
    return plan.changes;
  });
  await registerSchemas(config);
  const remaining = await planAll(config);
  if (json) printJson({ changed, ...remaining }, 2);
  else print(planLines(paint, remaining, remaining.schemas).join('\n'));
  if (hasDrift(remaining)) process.exitCode = DRIFT;
}
