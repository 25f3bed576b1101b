import { executableName, type LineageProcess } from '@ringfence/wire';
import type { Item } from '../../sink.ts';
import { containerOf, type Ocsf } from './common.ts';

const REGULAR = 1;

type Ancestor = Pick<LineageProcess, 'entityId' | 'pid' | 'executable' | 'args' | 'user'>;

/** Returns the process of an item with its parent, and its further ancestors as far as they are known. */
export function processOf(item: Item): Ocsf {
  const [self, parent, ...ancestors] = lineageOf(item);
  if (self === undefined) return {};
  return {
    ...whole(self),
    container: containerOf(item),
    parent_process: parent === undefined ? {} : whole(parent),
    ancestry: ancestors.map(brief),
  };
}

/** Returns the process and its ancestors: from the document, so that a field which a sink drops stays away. */
function lineageOf({ document }: Item): readonly Ancestor[] {
  const lineage = document['ringfence.lineage'];
  if (Array.isArray(lineage) && lineage.length > 0) return lineage as Ancestor[];
  return ['process', 'process.parent'].flatMap((prefix) => {
    const [entityId, pid] = [document[`${prefix}.entity_id`], document[`${prefix}.pid`]];
    if (typeof entityId !== 'string' && typeof pid !== 'number') return [];
    const text = (name: string): string => String(document[name] ?? '');
    return {
      entityId: String(entityId ?? ''),
      pid: pid as number,
      executable: text(`${prefix}.executable`),
      args: text(`${prefix}.command_line`),
      user: prefix === 'process' ? text('user.name') : '',
    };
  });
}

const brief = ({ entityId, pid, executable, args }: Ancestor): Ocsf => ({
  uid: entityId,
  pid,
  name: executableName(executable),
  path: executable,
  cmd_line: args,
});

const whole = (process: Ancestor): Ocsf => ({
  ...brief(process),
  user: { name: process.user },
  file: fileOf(process.executable, REGULAR),
});

/** @param type of the file, which is regular if the kernel ran it */
export function fileOf(path: string, type: number): Ocsf {
  return path === '' ? {} : { path, name: executableName(path) || path, type_id: type };
}
