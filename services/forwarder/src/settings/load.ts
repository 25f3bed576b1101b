import type { Log } from '@ringfence/base';
import {
  type CheckedItems,
  type CheckedSchema,
  checkSources,
  readCheckedFiles,
  type YamlSource,
} from '@ringfence/checked-yaml';
import { z } from 'zod';
import { KINDS } from '../kinds/index.ts';
import type { Sink, SinkKind } from '../sink.ts';
import { commonShape, type SinkSettings } from './common.ts';
import { isPlainUrl } from './values.ts';

/** A sink of a file. */
export interface SinkConfig {
  readonly name: string;
  readonly common: SinkSettings;
  readonly kind: SinkKind;
  /** Settings of the kind */
  readonly settings: Readonly<Record<string, unknown>>;
}

const typeOf = z.looseObject({
  type: z.enum(
    KINDS.map(({ type }) => type),
    `expected one of ${KINDS.map(({ type }) => type).join(', ')}`,
  ),
});

const schemas = new Map(
  KINDS.map((kind) => [
    kind.type,
    {
      common: z.object(commonShape),
      own: z.object(kind.shape),
      all: z.strictObject({ ...commonShape, type: z.string(), ...kind.shape }),
    },
  ]),
);

const sinkSchema: z.ZodType<SinkConfig> = z.unknown().transform((value, context) => {
  const typed = typeOf.safeParse(value);
  const kind = KINDS.find(({ type }) => type === typed.data?.type);
  const checked = kind === undefined ? typed : schemas.get(kind.type)!.all.safeParse(value);
  if (kind === undefined || !checked.success) {
    context.issues.push(...(checked.error?.issues ?? []).map((issue) => ({ ...issue, input: value }) as never));
    return z.NEVER;
  }
  const { common, own } = schemas.get(kind.type)!;
  const shared = common.parse({ ...kind.defaults, ...(value as object) }) as unknown as SinkSettings;
  const config: SinkConfig = { name: shared.sink, common: shared, kind, settings: own.parse(value) };
  const { takes } = kind;
  if (takes !== undefined && shared.send?.some((name) => !takes.includes(name)))
    context.addIssue({ code: 'custom', path: ['send'], message: `${kind.type} takes ${takes.join(' and ')} only` });
  for (const key of plainKeys(config)) context.addIssue({ code: 'custom', path: [key], message: PLAIN });
  for (const [key, message] of Object.entries(kind.check?.(config.settings, shared) ?? {}))
    context.addIssue({ code: 'custom', path: [key], message });
  return config;
});

const PLAIN =
  'expected TLS: records and secrets would travel unencrypted; `insecure: true` allows it on a network that you trust';

/** Returns the settings that name another host by a protocol without TLS. */
function plainKeys({ common, settings }: SinkConfig): string[] {
  if (common.insecure) return [];
  return Object.keys(settings).filter((key) => isPlainUrl(settings[key]));
}

const SINKS: CheckedSchema<SinkConfig> = { noun: 'sink', schema: sinkSchema, nameOf: ({ name }) => name };

/** Reads files of sinks, and directories of them. */
export const loadSinkFiles = (paths: readonly string[]): CheckedItems<SinkConfig> => readCheckedFiles(paths, SINKS);

/** A source holds one sink or a list of sinks. */
export const loadSinks = (sources: readonly YamlSource[]): CheckedItems<SinkConfig> => checkSources(sources, SINKS);

/** Connects at the first request. */
export const openSink = ({ kind, settings, name, common }: SinkConfig, log: Log): Sink =>
  kind.open(settings, { name, common, log });
