import { parquetWriteBuffer } from 'hyparquet-writer';
import { ocsfEvent } from '../../encode/ocsf/index.ts';
import type { Item } from '../../sink.ts';
import { type Column, type Columns, columnsOf } from './columns.ts';

type Element = NonNullable<Parameters<typeof parquetWriteBuffer>[0]['schema']>[number];

/** Returns a parquet file with one OCSF event in a row. All items are of the kinds of one `send`. */
export function parquetFile(items: readonly Item[]): Uint8Array {
  const columns = columnsOf(items[0]!.kind);
  const rows = items.map((item) => conformed(columns, ocsfEvent(item)) as Readonly<Record<string, unknown>>);
  const names = Object.keys(columns);
  const schema: Element[] = [
    { name: 'root', num_children: names.length },
    ...names.flatMap((name) => elementsOf(name, columns[name]!)),
  ];
  const columnData = names.map((name) => ({ name, data: rows.map((row) => row[name] ?? null) }));
  return new Uint8Array(parquetWriteBuffer({ columnData, schema }));
}

const LEAVES = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  json: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  int: { type: 'INT32' },
  long: { type: 'INT64' },
  bool: { type: 'BOOLEAN' },
} as const;

/** Returns the elements of a column in the order of the format: each group before its children. */
function elementsOf(name: string, column: Column): Element[] {
  const repetition_type = 'OPTIONAL';
  if (typeof column === 'string') return [{ name, repetition_type, ...LEAVES[column] }];
  if (Array.isArray(column)) {
    const list = { name: 'list', repetition_type: 'REPEATED', num_children: 1 } as const;
    return [
      { name, repetition_type, converted_type: 'LIST', num_children: 1 },
      list,
      ...elementsOf('element', column[0]),
    ];
  }
  const children = Object.entries(column as Columns);
  return [
    { name, repetition_type, num_children: children.length },
    ...children.flatMap(([child, inner]) => elementsOf(child, inner)),
  ];
}

/** Returns the value as the column has it; null for what it can't hold, such as a field that a sink has renamed. */
function conformed(column: Column, value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (Array.isArray(column)) return Array.isArray(value) ? value.map((item) => conformed(column[0], item)) : null;
  switch (column) {
    case 'text':
      return typeof value === 'string' ? value : JSON.stringify(value);
    case 'json':
      return JSON.stringify(value);
    case 'bool':
      return typeof value === 'boolean' ? value : null;
    case 'int':
      return Number.isInteger(value) && Math.abs(value as number) < 2 ** 31 ? value : null;
    case 'long':
      return Number.isSafeInteger(value) ? BigInt(value as number) : null;
    default: {
      if (typeof value !== 'object') return null;
      const entries = Object.entries(column as Columns);
      return Object.fromEntries(
        entries.map(([name, inner]) => [name, conformed(inner, (value as Record<string, unknown>)[name])]),
      );
    }
  }
}
