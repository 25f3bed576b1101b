import type { EventView } from '../event-batch.ts';
import { kindName, layouts } from '../layout.ts';
import { containerFields } from './container.ts';
import { eventFields } from './event.ts';
import { execFields } from './exec.ts';
import type { Field } from './field.ts';
import { fileFields } from './file.ts';
import { logFields } from './log.ts';
import { networkFields } from './network.ts';
import { processFields } from './process.ts';
import { userFields } from './user.ts';

export { documentOf, type EventDocument, isoTime } from './document.ts';
export type { Field, FieldSpec, FieldType, FieldValue } from './field.ts';
export { addressText } from './network.ts';

/** Every field that rules, searches and outputs can name: ECS names, with Falco's and Sigma's as aliases. */
export const catalogue: { readonly fields: readonly Field[] } = {
  fields: [
    ...eventFields,
    ...processFields,
    ...execFields,
    ...userFields,
    ...fileFields,
    ...networkFields,
    ...containerFields,
    ...logFields,
  ],
};

/** Kinds of events as rules name them, by the number of the kind: fork, exec, exit, credentials, open, connect, tick, … */
export const eventKinds: { readonly names: readonly string[]; of(event: EventView): number } = {
  names: layouts.map(({ name }) => kindName(name)),
  of: (event) => event.cursor.kind,
};
