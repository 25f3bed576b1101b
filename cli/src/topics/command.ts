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
import { print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { changeLine, planLines } from './view.ts';

/** As terraform's -detailed-exitcode has it. */
const DRIFT = 2;

export function addTopics(program: Command): void {
  const topics = program.command('topics').description(DESCRIPTIONS.topics);
  const plan = topics
    .command('plan')
    .description('show what brokers and schema registry lack, and what drifted from the settings; changes nothing')
    .option('--json', 'print the plan as one JSON object')
    .addHelpText(
      'after',
      '\nExit code 0 when nothing differs, 2 when something does, 1 when that could not be told.\n\nExamples:\n  ringfence topics plan --config fleet.yaml\n  ringfence topics plan --json | jq .changes',
    );
  withSettings(plan).action(async (_, self: Command) => {
    const found = await planAll(fleetOf(self));
    if (self.opts<{ json?: boolean }>().json) printJson(found, 2);
    else print(planLines(paintFor(process.stdout), found, found.schemas).join('\n'));
    if (differs(found)) process.exitCode = DRIFT;
  });
  const apply = topics
    .command('apply')
    .description(
      'make missing topics, set settings back, add access entries, register schemas; deletes nothing and moves nothing',
    )
    .option('--json', 'print one JSON object: what was changed and what is left to do by hand')
    .addHelpText(
      'after',
      '\nIt takes a user of the brokers who may describe, create and alter topics and access lists; the services need no such right.\nExit code 0 when everything is as it should be, 2 when something is left to do by hand, 1 when a change was refused.\n\nExamples:\n  ringfence topics apply --config fleet.yaml\n  ringfence topics apply --set bus.kafka.partitions=48',
    );
  withSettings(apply).action((_, self: Command) =>
    applyAll(fleetOf(self), self.opts<{ json?: boolean }>().json === true),
  );
}

/** Throws OperatorError where there are no brokers: those of the defaults are nobody's. */
function fleetOf(self: Command): Config {
  const config = settingsOf(self);
  if (config.bus.driver === 'kafka') return config;
  throw new OperatorError(
    `there are no brokers: bus.driver is embedded, and ringfence up makes its topics itself, in ${config.bus.embedded.path}; a fleet has bus.driver kafka`,
  );
}

/** Of the brokers and, where one is set, of the schema registry. */
type WholePlan = Plan & { readonly schemas: readonly MissingSchema[] | null };

const differs = ({ changes, byHand, schemas }: WholePlan): boolean =>
  changes.length + byHand.length + (schemas?.length ?? 0) > 0;

async function planAll(config: Config): Promise<WholePlan> {
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
  const left = await planAll(config);
  if (json) printJson({ changed, ...left }, 2);
  else print(planLines(paint, left, left.schemas).join('\n'));
  if (differs(left)) process.exitCode = DRIFT;
}
