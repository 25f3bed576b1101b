import { type FieldValue, fieldNamed } from '@ringfence/fields';
import type { EventView } from '@ringfence/wire';

/** Fields from which a call is performed. */
const FIELDS = [
  'event.action',
  'event.outcome',
  'error.code',
  'container.id',
  'container.image.repository',
  'process.entity_id',
  'process.executable',
  'process.command_line',
  'process.args',
  'process.exec.filename',
  'process.exec.memfd',
  'process.exec.setuid',
  'process.stdin.network',
  'process.stdout.network',
  'user.id',
  'user.effective.id',
  'container.entry',
  'process.parent.entity_id',
  'process.parent.executable',
  'process.parent.command_line',
  'process.parent.stdin.network',
  'process.ancestors.executable',
  'file.path',
  'file.target_path',
  'file.type',
  'file.mode',
  'file.open.read',
  'file.open.write',
  'file.open.truncate',
  'file.open.append',
  'file.open.create',
  'destination.ip',
  'destination.port',
  'network.transport',
  'network.direction',
  'network.unix.path',
  'network.packets',
  'mount.source',
  'mount.target',
  'mount.filesystem',
  'mount.flags',
  'redirect.descriptor',
  'ringfence.socket.family',
  'ringfence.socket.type',
  'ringfence.socket.protocol',
  'dns.question.name',
  'dns.type',
  'io_uring.operation',
] as const;
export type SceneField = (typeof FIELDS)[number];

const READERS = FIELDS.map((name) => {
  const field = fieldNamed(name);
  if (field === undefined) throw new TypeError(`there is no field ${name}`);
  return [name, field] as const;
});

/** A written event of a witness, as the pipeline has it. */
export class Scene {
  readonly #values: ReadonlyMap<SceneField, FieldValue>;

  constructor(kind: string, event: EventView) {
    this.#values = new Map(
      READERS.flatMap(([name, { kinds, get }]) =>
        kinds === undefined || kinds.includes(kind) ? [[name, get(event)] as const] : [],
      ),
    );
  }

  text(name: SceneField): string {
    const value = this.#values.get(name);
    return value === undefined ? '' : String(value);
  }

  list(name: SceneField): readonly string[] {
    const value = this.#values.get(name);
    return Array.isArray(value) ? value.map(String) : [];
  }

  number(name: SceneField): number {
    return Number(this.#values.get(name) ?? 0);
  }

  is(name: SceneField): boolean {
    return this.#values.get(name) === true;
  }
}
