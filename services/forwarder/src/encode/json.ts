import type { Item } from '../sink.ts';

/** One line of JSON: the ECS document with dotted names, and the id for dropping doubles as `ringfence.id`. */
export const ecsLine = (item: Item): string => JSON.stringify(ecsDocument(item));

export const ecsDocument = ({ document, id }: Item): Record<string, unknown> => ({ ...document, 'ringfence.id': id });
