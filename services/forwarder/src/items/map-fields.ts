import type { SinkSettings } from '../settings/common.ts';
import type { Item } from '../sink.ts';

/** Returns a function that drops, renames and adds fields of an item's document, in this order. */
export function createFieldMap({ fields }: Pick<SinkSettings, 'fields'>): (item: Item) => Item {
  if (fields === undefined) return (item) => item;
  const dropped = new Set(fields.drop);
  const names = new Map(Object.entries(fields.rename));
  return (item) => {
    const kept = Object.entries(item.document).filter(([name]) => !dropped.has(name));
    const renamed = kept.map(([name, value]) => [names.get(name) ?? name, value] as const);
    return { ...item, document: { ...Object.fromEntries(renamed), ...fields.add } };
  };
}
