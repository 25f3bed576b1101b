import type { EventKinds, FieldCatalogue, FieldSpec, FieldValue, TextSpan } from '../../src/model/catalogue.ts';

/** An event of these tests: a kind, and fields by name. */
export interface TestEvent {
  readonly kind: string;
  readonly [field: string]: FieldValue;
}

const KINDS = ['fork', 'exec', 'exit', 'credentials', 'open', 'connect', 'tick'];

/** Each field of `names` reads the event's property of that name. */
function field(
  name: string,
  type: FieldSpec<TestEvent>['type'],
  more: Partial<FieldSpec<TestEvent>> = {},
): FieldSpec<TestEvent> {
  const get = (event: TestEvent, argument?: string | number): FieldValue =>
    event[argument === undefined ? name : `${name}[${argument}]`];
  return { name, type, doc: `${name} of a test event.`, get, ...more };
}

function pathOf(event: TestEvent): string | undefined {
  return event['file.path'] as string | undefined;
}

function locatePath(event: TestEvent, place: TextSpan): boolean {
  const path = pathOf(event);
  if (path === undefined) return false;
  place.bytes = Buffer.from(`/${path}/`);
  place.start = 1;
  place.end = place.bytes.length - 1;
  return true;
}

const action = Object.fromEntries(KINDS.map((kind) => [kind, kind]));

export const catalogue: FieldCatalogue<TestEvent> = {
  fields: [
    field('event.action', 'string', { constants: action, get: (event) => event.kind }),
    field('process.name', 'string', { aliases: ['proc.name'], part: { of: 'process.executable', is: 'name' } }),
    // Not a subject's field: in these events it may contradict the name.
    field('process.executable', 'string', {
      subject: { of: () => undefined },
      aliases: ['proc.exepath'],
    }),
    field('process.command_line', 'string', { aliases: ['proc.cmdline'] }),
    field('process.args', 'strings'),
    field('process.entity_id', 'string'),
    field('process.parent.entity_id', 'string'),
    field('event.id', 'string'),
    field('user.name', 'string'),
    field('process.parent.name', 'string', { aliases: ['proc.pname'] }),
    field('proc.aname', 'string', { argument: 'index' }),
    field('execve.args.filename', 'string', { kinds: ['exec'] }),
    field('container.image', 'string'),
    field('container.label', 'string', { argument: 'key' }),
    field('container.privileged', 'bool'),
    field('user.id', 'number'),
    field('event.count', 'number'),
    field('process.uptime', 'number'),
    field('file.path', 'string', { kinds: ['open'], aliases: ['fd.name'], locate: locatePath }),
    field('file.name', 'string', {
      kinds: ['open'],
      part: { of: 'file.path', is: 'name' },
      get: (event) => pathOf(event)?.slice(pathOf(event)!.lastIndexOf('/') + 1),
    }),
    field('file.directory', 'string', {
      kinds: ['open'],
      part: { of: 'file.path', is: 'directory' },
      get: (event) => pathOf(event)?.slice(0, Math.max(pathOf(event)!.lastIndexOf('/'), 1)),
    }),
    field('file.write', 'bool', { kinds: ['open'] }),
    field('destination.ip', 'ip', { kinds: ['connect'] }),
    field('connection.state', 'string', { kinds: ['connect'], values: { connect: ['established', 'closed'] } }),
    field('destination.port', 'number', { kinds: ['connect'], aliases: ['fd.rport'] }),
  ],
};

export const kinds: EventKinds<TestEvent> = { names: KINDS, of: (event) => KINDS.indexOf(event.kind) };

export function createTestEvent(kind: string, fields: Record<string, FieldValue> = {}): TestEvent {
  return { ...fields, kind };
}
