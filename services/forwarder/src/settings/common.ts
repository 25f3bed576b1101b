import { Priorities, type Priority } from '@ringfence/wire';
import { z } from 'zod';
import { duration, filePath, secret } from './values.ts';

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected up to 63 lower-case letters, digits and dashes');

const field = z.string().regex(/^[@A-Za-z_][\w.@-]{0,199}$/, 'expected the name of a field, such as rule.name');

/** Text to compare with; `*` matches any characters. */
const glob = z.string().min(1).max(1000);
const globs = z.union([glob.transform((one) => [one]), z.array(glob).min(1).max(1000)]);

/** Kinds of records that a sink can be sent. */
export type ItemKind = 'alert' | 'incident' | 'command' | 'result' | 'operator';

const itemKind = z.enum(['alert', 'incident', 'command', 'result', 'operator']);

/** Conditions on fields of the document, all of which must hold; `severity` is the least urgent priority. */
const match = z
  .looseObject({
    severity: z.enum(Priorities).optional(),
    kind: z.union([itemKind, z.array(itemKind).min(1)]).optional(),
  })
  .superRefine((conditions, context) => {
    for (const [key, value] of Object.entries(conditions)) {
      if (key === 'severity' || key === 'kind') continue;
      if (!field.safeParse(key).success)
        context.addIssue({ code: 'custom', path: [key], message: `"${key.slice(0, 64)}" is no name of a field` });
      if (!globs.safeParse(value).success)
        context.addIssue({ code: 'custom', path: [key], message: 'expected a text or a list of texts' });
    }
  })
  .transform(({ severity, kind, ...rest }) => ({
    severity,
    kinds: kind === undefined ? undefined : [kind].flat(),
    fields: Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, [value].flat() as string[]])),
  }));

/** Conditions on an item, all of which must hold. */
export interface Match {
  /** This priority or a more urgent one */
  readonly severity?: Priority | undefined;
  /** One of these */
  readonly kinds?: readonly ItemKind[] | undefined;
  /** Texts by field, of which one must match; `*` matches any characters */
  readonly fields: Readonly<Record<string, readonly string[]>>;
}

const pattern = z.string().min(1).max(500).refine(isRegex, 'expected a regular expression');

function isRegex(text: string): boolean {
  try {
    new RegExp(text, 'u');
    return true;
  } catch {
    return false;
  }
}

/** The settings of SinkSettings, as the keys of a sink in a file. */
export const commonShape: z.ZodRawShape = {
  /** Name of the sink, and of its position: a renamed sink is a new one. */
  sink: name,
  /** What is sent: `alerts`, `incidents`, `responses` (commands and their results), `operators` (what people did). */
  send: z
    .array(z.enum(['alerts', 'incidents', 'responses', 'operators']))
    .min(1)
    .optional(),
  /** Sends only what matches all of these conditions. */
  only: match.optional(),
  /** Does not send what matches all of these conditions. */
  except: match.optional(),
  /** Removes secrets: `fields`, `patterns`, and `key` for a keyed hash. */
  redact: z
    .strictObject({
      fields: z.array(field).max(100).default([]),
      patterns: z.array(pattern).max(100).default([]),
      key: secret.optional(),
    })
    .optional(),
  /** Changes the fields of the document: `drop`, `rename`, `add`. */
  fields: z
    .strictObject({
      drop: z.array(field).max(1000).default([]),
      rename: z.record(field, field).default({}),
      add: z.record(field, z.union([z.string().max(1000), z.number(), z.boolean()])).default({}),
    })
    .optional(),
  /** Most records in one request. */
  batch: z.int().min(1).max(10_000).default(500),
  /** Most records in a second; 0: no limit. */
  rate: z.int().min(0).max(1_000_000).default(0),
  /** Collects records for so long and sends them together: `1h`. */
  digest: duration('1s', '1d').optional(),
  /** Deadline of a request. */
  timeout: duration('100ms', '10m').default(30_000),
  /** Allows a connection without TLS to another host. */
  insecure: z.boolean().default(false),
};

/** What can be sent; responses are commands and their results, operators what people asked Ringfence to do. */
export type SendName = 'alerts' | 'incidents' | 'responses' | 'operators';

/** Settings that all sinks have. */
export interface SinkSettings {
  /** Name */
  readonly sink: string;
  readonly send?: readonly SendName[] | undefined;
  readonly only?: Match | undefined;
  readonly except?: Match | undefined;
  readonly redact?:
    | { readonly fields: readonly string[]; readonly patterns: readonly string[]; readonly key?: string | undefined }
    | undefined;
  readonly fields?:
    | {
        readonly drop: readonly string[];
        readonly rename: Readonly<Record<string, string>>;
        readonly add: Readonly<Record<string, string | number | boolean>>;
      }
    | undefined;
  readonly batch: number;
  readonly rate: number;
  /** ms */
  readonly digest?: number | undefined;
  /** ms */
  readonly timeout: number;
  readonly insecure: boolean;
}

/** PEM files for TLS. */
export interface TlsSettings {
  /** @default the CAs of the system */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

const optionalPath: z.ZodOptional<z.ZodType<string>> = filePath.optional();

/** The settings of TlsSettings, for kinds that speak TLS. */
export const tlsShape: Readonly<Record<keyof TlsSettings, z.ZodOptional<z.ZodType<string>>>> = {
  ca: optionalPath,
  cert: optionalPath,
  key: optionalPath,
};
