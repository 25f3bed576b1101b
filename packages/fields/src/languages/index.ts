import type { Definition } from './definition.ts';
import { falcoEventDefinitions } from './falco-events.ts';
import { falcoProcessDefinitions } from './falco-processes.ts';

export type { Definition } from './definition.ts';

/** Falco's fields as Falco's documentation defines them (0.43), each once. */
export const falcoDefinitions: readonly Definition[] = [...falcoEventDefinitions, ...falcoProcessDefinitions];
