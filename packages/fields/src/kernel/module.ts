import { type EventView, KIND, leaf, records } from '@ringfence/wire';
import { baseName, bodyBoolean, bodyLong, bodyText, type Field, nonEmpty } from '../field.ts';

const module = {
  operation: bodyLong(leaf.Module.operation),
  fromMemory: bodyBoolean(leaf.Module.fromMemory),
  nameSource: bodyLong(leaf.Module.nameSource),
  taints: bodyLong(leaf.Module.taints),
  name: bodyText(leaf.Module.nameBytes),
  path: bodyText(leaf.Module.pathBytes),
  parameters: bodyText(leaf.Module.parametersBytes),
};
const { ModuleName: NAME, ModuleOperation: OPERATION } = records;

/** Returns the name of the system call; undefined when the event is not about a module. */
export function moduleCall(event: EventView): string | undefined {
  if (event.cursor.kind !== KIND.Module) return undefined;
  if (module.operation(event) === OPERATION.OPERATION_MODULE_UNLOAD) return 'delete_module';
  return module.fromMemory(event) ? 'init_module' : 'finit_module';
}

export const moduleFields: readonly Field[] = [
  {
    name: 'kernel.module.name',
    type: 'string',
    doc: 'Name of the kernel module: from the kernel if the module was loaded, else from its file or the caller.',
    kinds: ['module'],
    get: (event) => nonEmpty(module.name(event)),
  },
  {
    name: 'kernel.module.name_is_own',
    type: 'bool',
    doc: 'The name comes from the kernel, not from the file or the caller.',
    kinds: ['module'],
    get: (event) => module.nameSource(event) === NAME.KERNEL,
  },
  {
    name: 'kernel.module.path',
    type: 'string',
    doc: "Path of the module's file; absent when it was loaded from memory.",
    kinds: ['module'],
    get: (event) => nonEmpty(module.path(event)),
  },
  {
    name: 'kernel.module.file',
    type: 'string',
    doc: 'Last component of the path.',
    kinds: ['module'],
    get: (event) => nonEmpty(baseName(module.path(event))),
  },
  {
    name: 'kernel.module.from_memory',
    type: 'bool',
    doc: 'Loaded from memory (init_module): no file is known.',
    kinds: ['module'],
    get: module.fromMemory,
  },
  {
    name: 'kernel.module.parameters',
    type: 'string',
    doc: "Parameters of the load, read from the caller's memory.",
    aliases: ['evt.arg.uargs'],
    kinds: ['module'],
    get: (event) => nonEmpty(module.parameters(event)),
  },
  {
    name: 'kernel.module.taints',
    type: 'number',
    doc: 'Taint flags that the module sets: bit 12 out of tree, bit 13 unsigned, bit 0 proprietary.',
    kinds: ['module'],
    get: module.taints,
  },
];
