import { leaf, u64ToBigInt } from '@ringfence/wire';
import { bodyText, type Field, nonEmpty } from '../field.ts';

const sysctl = {
  name: bodyText(leaf.Sysctl.nameBytes),
  before: bodyText(leaf.Sysctl.beforeBytes),
  after: bodyText(leaf.Sysctl.afterBytes),
};
/** Formats a name like sysctl(8): dots and slashes are swapped, because names of interfaces contain dots. */
const dotted = (name: string): string => name.replaceAll(/[./]/g, (separator) => (separator === '.' ? '/' : '.'));

export const sysctlFields: readonly Field[] = [
  {
    name: 'sysctl.name',
    type: 'string',
    doc: 'Name of the written sysctl, as in sysctl(8): kernel.core_pattern.',
    kinds: ['sysctl'],
    get: (event) => nonEmpty(dotted(sysctl.name(event))),
  },
  {
    name: 'sysctl.value',
    type: 'string',
    doc: 'Written value; the kernel may still refuse it.',
    kinds: ['sysctl'],
    get: (event) => sysctl.after(event),
  },
  {
    name: 'sysctl.previous',
    type: 'string',
    doc: 'Previous value.',
    kinds: ['sysctl'],
    get: (event) => sysctl.before(event),
  },
];

const ARGUMENTS = [leaf.SystemChange.first, leaf.SystemChange.second, leaf.SystemChange.third];
const systemText = bodyText(leaf.SystemChange.textBytes);
const systemDetail = bodyText(leaf.SystemChange.detailBytes);

export const systemFields: readonly Field[] = [
  {
    name: 'system.argument',
    type: 'number',
    doc: 'A numeric argument of the system call: for perf_event_open type, event and process; for keyctl the operation and the key; for syslog the action; for reboot its two magic numbers and the command; for clocks the clock and the time.',
    kinds: ['system_change'],
    argument: 'index',
    get: ({ cursor }, index) => {
      const leaf = ARGUMENTS[Number(index)];
      return leaf === undefined ? undefined : Number(u64ToBigInt(cursor.buffer, cursor.leafAt(leaf)));
    },
  },
  {
    name: 'system.text',
    type: 'string',
    doc: 'A text argument of the system call: the path of swap, accounting or a quota, the new name of the host, the description of a key, the file of a kernel.',
    kinds: ['system_change'],
    get: (event) => nonEmpty(systemText(event)),
  },
  {
    name: 'system.detail',
    type: 'string',
    doc: 'A second text argument: the type of a key, the command line of a kernel.',
    kinds: ['system_change'],
    get: (event) => nonEmpty(systemDetail(event)),
  },
];
