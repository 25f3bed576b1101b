import { z } from 'zod';
import type { Item } from '../sink.ts';
import { ocsfEvent } from './ocsf/index.ts';

/** Encoders of JSON; both keep the id for dropping doubles, as `ringfence.id` and as `metadata.uid`. */
export const ENCODERS: Readonly<Record<Encoding, (item: Item) => Readonly<Record<string, unknown>>>> = {
  ecs: ecsDocument,
  ocsf: ocsfEvent,
};

/** `ecs`: the document with dotted names; `ocsf`: an event of the Open Cybersecurity Schema Framework 1.8. */
export type Encoding = 'ecs' | 'ocsf';

/** The setting of kinds that send JSON. */
export const encodingSetting: z.ZodType<Encoding> = z.enum(['ecs', 'ocsf']).default('ecs');

export const ecsLine = (item: Item): string => JSON.stringify(ecsDocument(item));

export function ecsDocument({ document, id }: Item): Record<string, unknown> {
  return { ...document, 'ringfence.id': id };
}
