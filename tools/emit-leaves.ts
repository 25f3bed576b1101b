/** Emits the indexes of the leaves that EventCursor reads in place, by kind of event. */
import { LEAF_TYPE, type LeafLayout, layouts, processLeaves } from '@ringfence/wire';

const TYPES: Readonly<Record<LeafLayout['type'], string>> = {
  [LEAF_TYPE.long]: 'LongLeaf',
  [LEAF_TYPE.boolean]: 'BooleanLeaf',
  [LEAF_TYPE.bytes]: 'BytesLeaf',
  [LEAF_TYPE.fixed]: 'FixedLeaf',
};

/** Joins the parts of a text: `path.bytes` and `path.length` become pathBytes and pathLength. */
const flattened = (name: string): string =>
  name.replace(/\.(bytes|length)$/, (_, part: string) => part.replace(/^./, (first) => first.toUpperCase()));

/**
 * Emits one line per leaf. Fields of a nested record are grouped, as in `credentials: { uid, gid, … }`. Throws
 * TypeError if two names clash.
 */
function leafLines(record: string, leaves: readonly LeafLayout[], indent: string): string {
  const seen = new Set<string>();
  const lines: string[] = [];
  let open = '';
  for (const [index, { name, type }] of leaves.entries()) {
    const flat = flattened(name);
    if (seen.has(flat)) throw new TypeError(`two fields of ${record} are called ${flat}`);
    seen.add(flat);
    const [first = '', second] = flat.split('.');
    const group = second === undefined ? '' : first;
    if (open !== '' && open !== group) lines.push(`${indent}},`);
    if (group !== '' && open !== group) lines.push(`${indent}${group}: {`);
    open = group;
    lines.push(`${indent}${group === '' ? '' : '  '}${second ?? first}: ${index} as ${TYPES[type]},`);
  }
  if (open !== '') lines.push(`${indent}},`);
  return lines.map((line) => `${line}\n`).join('');
}

/** Emits all leaves. Kinds with lists or maps have none, because avsc decodes them. */
export function leavesText(): string {
  const names = layouts.map(({ name }) => `\n  | '${name}'`).join('');
  const kinds = layouts
    .filter(({ leaves }) => leaves !== null)
    .map(({ name, leaves }) => `  ${name}: {\n${leafLines(name, leaves ?? [], '    ')}  },\n`)
    .join('');
  return `import type { BooleanLeaf, BytesLeaf, FixedLeaf, LongLeaf } from '../avro/leaf.ts';

/** Kinds of events, in the order of the union's branches. */
export type KindName =${names};

/** Leaves of an event's body, by kind. */
export const leaf = {
${kinds}} as const;

/** Leaves of a process in an EventBatch. */
export const processLeaf = {
${leafLines('Process', processLeaves, '  ')}} as const;
`;
}
